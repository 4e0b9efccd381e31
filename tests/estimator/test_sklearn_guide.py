"""The lines of docs/sklearn.md, run one after the other, give what they promise."""

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "sklearn.md"


@pytest.mark.slow
def test_its_lines_run_and_give_what_they_promise():
    text = GUIDE.read_text(encoding="utf-8")
    code = "".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    scope: dict = {}
    exec(compile(code, str(GUIDE), "exec"), scope)
    classifier = scope["classifier"]
    assert classifier.score(scope["X_test"], scope["y_test"]) > 0.95
    assert classifier.value_range_ == (0, 16)
    assert classifier.layout_.shape == (1, 8, 8)
    assert scope["search"].best_params_["lr"] in (1e-3, 5e-3)
    assert sorted(path.name for path in scope["folder"].iterdir()) == [
        "model.json",
        "model.safetensors",
    ]

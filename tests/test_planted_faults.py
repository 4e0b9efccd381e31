"""benchmarks/planted_faults.py: what is planted is what was meant, and nothing is called seen that
is not.
"""

import ast

import pytest

from benchmarks import planted_faults, planted_page
from benchmarks.fault_kinds import RULES, faults, planted, roles_in

SOURCE = """
def block(c, stride=1):
    return seq(conv=nn.Conv2d(c, c, 3, stride, padding=1), bn=nn.BatchNorm2d(c), relu=nn.ReLU())

class Net:
    def __init__(self):
        self.pool = nn.MaxPool2d(3, stride=2)
        self.apply(self.initialise)

    def forward(self, x):
        x = self.pool(x)
        x = self.stem(x)
        a, b = x.chunk(2, dim=1)
        return torch.cat([a + self.block(b), b], dim=1)
"""


def changes(kind: str) -> list[str]:
    """What each fault of a kind turns SOURCE's lines into."""
    roles = {**planted_faults.TORCH, **roles_in(ast.parse(SOURCE))}
    found = [fault for fault in faults(SOURCE, "nets/net.py", roles) if fault.kind == kind]
    for fault in found:
        assert ast.unparse(planted(SOURCE, fault, roles)) != ast.unparse(ast.parse(SOURCE))
    return [fault.becomes for fault in found]


@pytest.mark.parametrize(
    ("kind", "planted_there"),
    [
        ("stride", "nn.MaxPool2d(3, stride=1)"),
        ("stride", "nn.Conv2d(c, c, 3, stride % 2 + 1, padding=1)"),
        ("padding", "nn.Conv2d(c, c, 3, stride, padding=2)"),
        ("kernel", "nn.MaxPool2d(5, stride=2)"),
        ("groups", "nn.Conv2d(c, c, 3, stride, padding=1, groups=2)"),
        ("activation", "nn.ReLU6"),
        ("order", "x = self.stem(x) x = self.pool(x)"),
        ("edge", "x = x"),
        ("edge", "[a, b]"),
        ("constant", "4"),
        ("pool kind", "nn.AvgPool2d(3, stride=2)"),
        ("pool kind", "nn.MaxPool2d(3, stride=2, ceil_mode=True)"),
        ("init", "None"),
        ("eps", "nn.BatchNorm2d(c, eps=0.001)"),
        ("branch order", "torch.cat(list([a + self.block(b), b])[::-1], dim=1)"),
        ("branch order", "b, a = x.chunk(2, dim=1)"),
    ],
)
def test_a_fault_is_what_its_kind_says(kind, planted_there):
    assert planted_there in changes(kind)


def test_every_kind_is_planted_in_some_file():
    assert {fault.kind for fault in planted_faults.faults_of("nets/bn_inception.py")} == set(RULES)


@pytest.mark.parametrize(
    ("file", "was", "becomes", "seen"),
    [
        ("nets/nin.py", "x.mean((2, 3))", "x.amax((2, 3))", "function"),
        ("nets/nin.py", "nn.init.normal_(layer.weight, std=0.05)", "std=0.05 / 2)", "settings"),
        ("layers/modules.py", "0.5", "0.75", None),  # of a layer that NiN does not have
    ],
)
def test_a_judge_says_what_sees_a_fault(file, was, becomes, seen):
    every = planted_faults.faults_of(file)
    [fault] = [each for each in every if each.was == was and becomes in each.becomes]
    sound = planted_faults.described(planted_faults.build("nin_cifar10"))
    _, ran = planted_faults.lines_run("nin_cifar10")
    assert planted_faults.judged("nin_cifar10", fault, ran, sound) == seen


def test_a_fault_reaches_those_who_import_the_file_by_its_name():
    """se_preresnet.py says preresnet.bottleneck."""
    source = planted_faults.sources()["nets/preresnet.py"]
    change = planted_faults.Planted("nets/preresnet.py", source.replace("nn.ReLU()", "nn.ReLU6()"))
    kinds = {
        type(part).__name__ for part in planted_faults.build("se_preresnet50", change).modules()
    }
    assert "ReLU6" in kinds


@pytest.mark.parametrize(("stage", "broken"), [("-1", False), ("-2", True)])
def test_the_contract_sees_a_classifier_in_the_wrong_place(stage, broken):
    source = planted_faults.sources()["nets/nin.py"]
    assert "{self.stages[-1]}.cccp2" in source
    moved = source.replace("{self.stages[-1]}.cccp2", f"{{self.stages[{stage}]}}.cccp2")
    change = planted_faults.Planted("nets/nin.py", moved)
    net = planted_faults.build("nin_cifar10", change)
    assert planted_faults.contract_broken("nin_cifar10", change, net) == broken


@pytest.mark.parametrize(
    ("name", "file", "was", "becomes"),
    [
        ("nin_cifar10", "nets/nin.py", "std=0.05", "std=0.5"),
        ("preresnet110_cifar", "nets/preresnet.py", "BatchNorm2d(c)", "BatchNorm2d(c, 1e-5, 0.01)"),
        ("vgg11", "nets/vgg.py", "xavier_uniform_", "kaiming_normal_"),
        ("resnet18", "layers/modules.py", "fan_out", "fan_in"),
        ("alexnet", "layers/modules.py", "nn.Dropout(0.5)", "nn.Dropout(0.6)"),
    ],
)
def test_the_tables_see_what_evaluation_does_not_show(name, file, was, becomes):
    source = planted_faults.sources()[file]
    assert was in source
    same = planted_faults.Planted(file, source)
    changed = planted_faults.Planted(file, source.replace(was, becomes))
    assert not planted_faults.settings_differ(name, same)
    assert planted_faults.settings_differ(name, changed)


RESULTS = [
    {"network": "a", "kind": "edge", "file": "nets/a.py", "was": "x + y", "becomes": "x", "seen": s}
    for s in ("function", "layers", "", "")
]
EQUIVALENT = RESULTS[0] | {"network": "b", "was": "y + 0", "becomes": "y", "seen": ""}
REASON = {"kind": "edge", "file": "nets/a.py", "was": "y + 0", "becomes": "y", "reason": "a zero"}
REASON |= {"equal": True}


def test_the_page_counts_what_is_seen_and_lists_what_is_not():
    assert planted_page.unexplained([*RESULTS, EQUIVALENT], [REASON]) == RESULTS[2:]
    text = planted_page.section([*RESULTS, EQUIVALENT], [REASON])
    assert "| edge | 2 | 5 | 1 | 1 | 0 | 0 | 0 | 2 | 1 |" in text.splitlines()
    assert "Of 4 faults in 2\nnetworks 2 were seen (50.00 %); 1 more\nchange nothing" in text
    assert "- edge, `nets/a.py`: `x + y` -> `x` (a, a): NOT EXPLAINED." in text
    assert "- edge, `nets/a.py`: `y + 0` -> `y` (b): a zero." in text
    text = planted_page.section([*RESULTS, EQUIVALENT], [REASON | {"equal": False}])
    assert "| edge | 2 | 5 | 1 | 1 | 0 | 0 | 0 | 3 | 0 |" in text.splitlines()

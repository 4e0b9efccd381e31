"""What people's training scripts save beside the weights is read past, whatever class it is of;
what runs code, and tensors whose numbers are not in the file, are refused by name.
"""

import argparse
import collections
import datetime
import decimal
import enum
import fractions
import functools
import itertools
import logging
import operator
import os
import pathlib
import re
import subprocess
import sys
import types
import uuid
import zipfile

import numpy as np
import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim.swa_utils import AveragedModel
from torchvision.transforms import v2 as transforms

from convatlas.errors import WeightsError
from convatlas.weights.company import is_code, makes_a_value
from convatlas.weights.reading import read

STATE = {"conv.weight": torch.arange(12.0).reshape(3, 4), "bn.count": torch.tensor(3)}
CLASSES_OF_OTHERS = {
    "yacs.config.CfgNode": dict,
    "easydict.EasyDict": dict,
    "mmengine.config.config.ConfigDict": dict,
    "lightning.fabric.utilities.data.AttributeDict": dict,
    "pytorch_lightning.utilities.parsing.AttributeDict": dict,
    "addict.addict.Dict": dict,
    "omegaconf.dictconfig.DictConfig": object,
    "ml_collections.config_dict.config_dict.ConfigDict": object,
    "fvcore.common.config.CfgNode": dict,
    "fastai.torch_core.TensorBase": object,
    "mypackage.options.lower_case_options": object,
    "code.models.Options": object,
    "__main__.TrainingArguments": object,
}


class Colour(enum.Enum):
    RED = 1


class Options:
    class Deep(enum.Enum):
        BLUE = 2


class Size(enum.IntFlag):
    S = 1
    M = 2


Point = collections.namedtuple("Point", "x y")


def trained():
    """An optimiser and a schedule after a step."""
    net = nn.Linear(2, 2)
    optimiser = torch.optim.AdamW(net.parameters())
    net(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    return optimiser, torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 3)


OPTIMISER, SCHEDULE = trained()
COMPANY = {
    "Namespace": argparse.Namespace(lr=0.1, model="resnet18", aa=None, betas=(0.9, 0.99)),
    "NumPy scalars": {"best_acc1": np.float32(71.2), "epoch": np.int64(3), "flag": np.bool_(True)},
    "NumPy arrays": [np.arange(5), np.zeros((2, 2), order="F"), np.array(["a"]), np.array([{}])],
    "NumPy dtype and generators": [np.dtype("f4"), np.random.RandomState(0).get_state()],
    "a NumPy generator": np.random.default_rng(0),
    "OrderedDict": collections.OrderedDict(a=np.float64(1), b=collections.OrderedDict()),
    "defaultdict": collections.defaultdict(list, {"loss": [1.0]}),
    "Counter": collections.Counter({3: 1, 5: 1}),
    "deque": collections.deque([1, 2], maxlen=3),
    "a named tuple": Point(1, 2),
    "dates": [datetime.datetime(2024, 1, 2), datetime.date(2024, 1, 2), datetime.timedelta(3)],
    "a time zone": datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC),
    "paths": [pathlib.PurePosixPath("/a/b"), pathlib.Path("a")],
    "an enumeration": [Colour.RED, Options.Deep.BLUE, Size.S | Size.M, Colour],
    "SimpleNamespace": types.SimpleNamespace(a=1, b=types.SimpleNamespace(c=[2])),
    "partial": functools.partial(nn.LayerNorm, eps=1e-6),
    "functions": [F.relu, torch.nn.init.kaiming_normal_, max, len, nn.ReLU],
    "numbers": [decimal.Decimal("0.1"), fractions.Fraction(1, 3), 1 + 2j, 2**70, -1, True],
    "plain objects": [{1, 2}, frozenset({3}), range(4), slice(1, 2), b"ab", bytearray(b"cd"), ...],
    "a count": itertools.count(3),
    "an expression": re.compile("a+"),
    "a UUID": uuid.UUID(int=3),
    "an error": ValueError("a"),
    "a logger": logging.getLogger("train"),
    "a type": list[int] | None,
    "PyTorch's own": [torch.device("cuda:0"), torch.float16, torch.Size([1, 2]), torch.strided],
    "an optimiser's state": OPTIMISER.state_dict(),
    "a schedule's state": SCHEDULE.state_dict(),
    "whole objects of both": [OPTIMISER, SCHEDULE],
    "a random state": {"cpu": torch.get_rng_state(), "python": (3, tuple(range(625)), None)},
    "a loss": nn.CrossEntropyLoss(label_smoothing=0.1),
    "transforms": transforms.Compose([transforms.Resize(3), transforms.ToImage()]),
    "a parameter": nn.Parameter(torch.ones(2)),
    "a sparse tensor": torch.eye(3).to_sparse(),
    "a quantised tensor": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
    "a tensor without numbers": torch.ones(3, device="meta"),
    "names that are no words": {1: "a", (2, 3): "b", None: "c", 2.5: [np.float32(1)]},
}


def assert_state(path, section="state_dict"):
    file = read(path)
    assert file.section == section
    assert file.tensors.keys() == STATE.keys()
    assert all(torch.equal(file.tensors[name], STATE[name]) for name in STATE)


@pytest.mark.filterwarnings("ignore:.*(lr_scheduler|quantize|quantization|TypedStorage)")
@pytest.mark.parametrize("name", COMPANY)
def test_company_is_read_past(tmp_path, name):
    held = {"epoch": 3, "before": COMPANY[name], "state_dict": STATE, "after": [COMPANY[name]]}
    for protocol in (2, 4, 5):
        torch.save(held, tmp_path / f"{protocol}.pth", pickle_protocol=protocol)
        assert_state(tmp_path / f"{protocol}.pth")
    torch.save(held, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert_state(tmp_path / "old.pth")


@pytest.mark.parametrize("name", CLASSES_OF_OTHERS)
def test_classes_of_libraries_that_are_not_here_are_read_past(tmp_path, monkeypatch, name):
    module, _, last = name.rpartition(".")
    kind = type(last, (CLASSES_OF_OTHERS[name],), {"__module__": module})
    made = kind()
    made.__dict__.update(lr=0.1, path=pathlib.PurePosixPath("a"))
    if isinstance(made, dict):
        made.update(model="resnet18", MEAN=[0.5])
    with monkeypatch.context() as patch:
        for i in range(1, module.count(".") + 2):
            parent = ".".join(module.split(".")[:i])
            patch.setitem(sys.modules, parent, types.ModuleType(parent))
        setattr(sys.modules[module], last, kind)
        torch.save({"config": made, "state_dict": STATE}, tmp_path / "a.pth")
    assert_state(tmp_path / "a.pth")


def test_a_state_in_a_dictionary_of_another_class(tmp_path):
    state = collections.defaultdict(None, STATE)
    torch.save({"model": collections.OrderedDict(STATE), "x": 1}, tmp_path / "ordered.pth")
    torch.save({"model": state}, tmp_path / "default.pth")
    torch.save(collections.OrderedDict(STATE), tmp_path / "bare.pth")
    assert_state(tmp_path / "ordered.pth", "model")
    assert_state(tmp_path / "default.pth", "model")
    assert_state(tmp_path / "bare.pth", "")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_tensors_of_every_form_are_read_as_torch_reads_them(tmp_path, zipped):
    """Types, views of one storage, strides, parameters, scalars and empty ones."""
    whole = torch.arange(48.0)
    held = {
        **{str(kind): torch.tensor([0, 1, 3]).to(kind) for kind in TYPES + NEWER * zipped},
        "view": whole[3:9],
        "transposed": whole.reshape(6, 8).t(),
        "channels_last": torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "steps": whole[::5],
        "whole": whole,
        "parameter": nn.Parameter(torch.rand(3, 2)),
        "buffer": nn.Buffer(torch.rand(2)),
        "scalar": torch.tensor(3.5),
        "empty": torch.empty(0, 3),
        "expanded a little": torch.rand(1, 3).expand(1, 3),
    }
    path = tmp_path / "a.pth"
    torch.save(held, path, _use_new_zipfile_serialization=zipped)
    theirs = torch.load(path, weights_only=True)
    ours = read(path).tensors
    assert list(ours) == list(theirs)
    for name, tensor in theirs.items():
        assert torch.equal(ours[name], tensor), name
        assert (ours[name].dtype, ours[name].stride()) == (tensor.dtype, tensor.stride()), name


TYPES = (
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
)
NEWER = (torch.uint16, torch.uint32, torch.uint64)  # which the legacy format cannot say


def test_a_file_of_a_graphics_card_is_read_on_any_machine(tmp_path):
    """The place of a storage is a word in the pickle, which asks for no such device here."""
    torch.save(STATE, tmp_path / "cpu.pth")
    with (
        zipfile.ZipFile(tmp_path / "cpu.pth") as old,
        zipfile.ZipFile(tmp_path / "a.pth", "w") as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("data.pkl"):
                content = content.replace(b"\x03\0\0\0cpu", b"\x06\0\0\0cuda:3")
                content = content.replace(b"ctorch\nFloatStorage", b"ctorch.cuda\nFloatStorage")
                assert b"cuda:3" in content
                assert b"torch.cuda" in content
            new.writestr(name.replace("cpu/", "a/"), content)
    assert_state(tmp_path / "a.pth", "")


def test_numbers_and_options_among_the_tensors_of_a_state_are_read_past(tmp_path):
    torch.save(
        {**STATE, "epoch": 3, "head._extra_state": None, "args": argparse.Namespace(lr=1)},
        tmp_path / "a.pth",
    )
    assert_state(tmp_path / "a.pth", "")


def test_sections_are_told_and_can_be_chosen(tmp_path):
    net = AveragedModel(nn.Linear(2, 3))
    average = {name: tensor + 1 for name, tensor in STATE.items()}
    held = {
        "model": STATE,
        "model_ema": net.state_dict(),
        "ema": {"decay": 0.99, "state_dict": average},
        "optimizer": OPTIMISER.state_dict(),
    }
    torch.save(held, tmp_path / "a.pth")
    file = read(tmp_path / "a.pth")
    assert file.section == "model"
    assert file.others == ("model_ema", "ema.state_dict")
    assert torch.equal(
        read(tmp_path / "a.pth", "ema.state_dict").tensors["bn.count"], average["bn.count"]
    )
    with pytest.raises(WeightsError, match=r"has no section 'x' that holds tensors, but model, "):
        read(tmp_path / "a.pth", "x")
    torch.save({"teacher": STATE, "epoch": torch.tensor(3)}, tmp_path / "b.pth")
    assert read(tmp_path / "b.pth").section == "teacher"


@pytest.mark.parametrize(
    "name",
    [
        *("argparse.Namespace", "pathlib._local.PosixPath", "timm.data.loader.Options"),
        *("numpy.core.multiarray._reconstruct", "numpy._core.multiarray.scalar"),
        *("numpy.ma.core._mareconstruct", "numpy.random._pickle.__generator_ctor"),
        *("pandas._libs.tslibs.timestamps._unpickle_timestamp", "pandas.core._new_Index"),
        *("zoneinfo.ZoneInfo._unpickle", "copyreg.__newobj__", "pytz._UTC", "pytz._p"),
        *("builtins.ValueError", "builtins.type", "builtins.iter", "types.SimpleNamespace"),
        *("jax._src.array._reconstruct_array", "http.HTTPStatus", "_io.BytesIO", "os.PathLike"),
    ],
)
def test_what_makes_a_value(name):
    assert makes_a_value(name)
    assert not is_code(name)


@pytest.mark.parametrize(
    "name",
    [
        *("os.system", "posix.system", "nt.system", "sys.settrace", "shutil.rmtree"),
        *("subprocess.Popen", "socket.socket", "ctypes.CDLL", "io.FileIO", "_io.open", "io.open"),
        *("builtins.exec", "builtins.eval", "builtins.open", "builtins.__import__"),
        *("builtins.compile", "builtins.setattr", "builtins.input", "builtins.breakpoint"),
        *("types.FunctionType", "types.CodeType", "importlib.import_module", "runpy.run_path"),
        *("pickle.loads", "marshal.loads", "dill._dill._create_function", "pty.spawn"),
        *("cloudpickle.cloudpickle._make_function", "webbrowser.open", "urllib.request.urlopen"),
        *("asyncio.unix_events._UnixSubprocessTransport._start", "pip.main", "pydoc.pipepager"),
    ],
)
def test_what_is_code(name):
    assert is_code(name)


@pytest.mark.parametrize(
    "name",
    [
        *("torch.load", "torch.hub.load", "torch.storage._load_from_bytes", "numpy.load"),
        *("numpy.testing._private.utils.runstring", "operator.methodcaller", "trace.main"),
        *("code.interact", "torch.jit.load", "torch.utils.cpp_extension.load", "mine.run"),
        *("numpy.f2py.crackfortran.getlincoef", "operator.attrgetter", "profile.run"),
    ],
)
def test_a_function_that_may_do_anything_makes_no_value(name):
    assert not makes_a_value(name)


class Calls:
    """Something that is pickled as a call."""

    def __init__(self, called, *arguments):
        self.called = called
        self.arguments = arguments

    def __reduce__(self):
        return self.called, self.arguments


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (Calls(os.system, "true"), r"holds code \((posix|nt)\.system\)"),
        (Calls(eval, "1"), r"holds code \(builtins\.eval\)"),
        (Calls(subprocess.Popen, "true"), r"holds code \(subprocess\.Popen\)"),
        (Calls(functools.partial, os.mkdir, "a"), r"holds code \((posix|nt)\.mkdir\)"),
        (Calls(torch.hub.load, "a", "b"), r"holds code \(torch\.hub\.load\)"),
        (Calls(np.load, "a"), r"holds code \(numpy\.load\)"),
        (Calls(operator.attrgetter, "system"), r"holds code \(operator\.attrgetter\)"),
        (Calls(print, "a"), None),
        ([os.system], r"holds code \((posix|nt)\.system\)"),
        (argparse.Namespace(run=subprocess.Popen), r"holds code \(subprocess\.Popen\)"),
    ],
)
def test_code_beside_a_good_state_is_refused_by_its_name(tmp_path, made, words):
    torch.save({"state_dict": STATE, "company": made}, tmp_path / "a.pth")
    if words is None:
        assert_state(tmp_path / "a.pth")
        return
    with pytest.raises(WeightsError, match=words):
        read(tmp_path / "a.pth")


@pytest.mark.filterwarnings("ignore:.*quantize")
@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (torch.eye(3).to_sparse(), "fc as torch._utils._rebuild_sparse_tensor"),
        (torch.ones(3, device="meta"), "fc as torch._utils._rebuild_meta_tensor_no_storage"),
        (COMPANY["a quantised tensor"], "fc as torch._utils._rebuild_qtensor"),
        (torch.ones(2, dtype=torch.complex64), "fc as torch.complex64"),
        (Calls(torch.Tensor, 3, 3), "fc as torch.Tensor"),
        (Calls(torch.FloatTensor, 3, 3), "fc as torch.FloatTensor"),
    ],
)
def test_a_tensor_whose_numbers_are_not_in_the_file_is_refused(tmp_path, tensor, words):
    torch.save({**STATE, "fc": tensor}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=f"holds {words}.*; save it as plain floating point"):
        read(tmp_path / "a.pth")


def test_a_whole_network_is_refused_by_its_class(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "a.pth")
    torch.save({"epoch": 3, "model": nn.Sequential(nn.ReLU())}, tmp_path / "b.pth")
    torch.save(nn.Linear(2, 2), tmp_path / "c.pth", _use_new_zipfile_serialization=False)
    for name in ("a.pth", "c.pth"):
        words = r"whole network \(torch\.nn\.modules\.linear\.Linear\)"
        with pytest.raises(WeightsError, match=words):
            read(tmp_path / name)
    with pytest.raises(WeightsError, match=r"whole network .*Sequential\).*save net\.state_dict"):
        read(tmp_path / "b.pth")

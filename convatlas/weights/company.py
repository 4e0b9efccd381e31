"""Which names a checkpoint's pickle may carry beside its tensors.

Nothing that a pickle names is ever imported or called here, so that the question is not what is
safe for us, but what is honest: options, counters, dates and arrays are read past; a file that was
made to run something elsewhere is refused by that name.
"""

import re
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

PYTHON_2 = 2  # the last protocol in which names are spelled as Python 2 did


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CODE = _words(
    """os posix nt sys subprocess _posixsubprocess importlib _frozen_importlib imp pkgutil runpy
    _frozen_importlib_external zipimport pty tty codeop bdb pdb timeit cProfile pstats doctest
    unittest shutil tempfile socket _socket ssl http httplib urllib urllib2 requests ftplib smtplib
    poplib imaplib telnetlib xmlrpc webbrowser antigravity ctypes _ctypes cffi mmap marshal pickle
    _pickle cPickle dill cloudpickle shelve pip setuptools ensurepip venv idlelib lib2to3 distutils
    io _io linecache fileinput inspect gc atexit sqlite3 asyncio multiprocessing concurrent popen2
    pydoc"""
)
PLAIN_BUILTINS = _words(
    """object type bool int long float complex str unicode basestring bytes bytearray buffer tuple
    list dict set frozenset slice range xrange memoryview property staticmethod classmethod
    super getattr abs all any divmod enumerate filter hash iter len map max min next pow print
    repr reversed round sorted sum zip NotImplemented Ellipsis"""
)
CONSTRUCTORS = _words(
    """_codecs.encode builtins.getattr copyreg._reconstructor datetime.date datetime.datetime
    datetime.time datetime.timedelta datetime.timezone collections.defaultdict collections.deque
    functools.partial functools.reduce _functools.reduce itertools.count array.array re._compile
    operator.getitem _operator.getitem logging.getLogger pytz._p numpy.dtype numpy.ndarray
    numpy.core.multiarray.scalar numpy._core.multiarray.scalar numpy.core.numeric._frombuffer
    numpy._core.numeric._frombuffer torch.device torch.serialization._get_layout"""
)
BY_CUSTOM = re.compile(r"\w*(reconstruct|rebuild|restore|unpickle)\w*|_*new\w*|\w+_ctor")
VALUES_OF_CODE = _words(  # classes of such modules that only hold something
    """os.PathLike io.BytesIO _io.BytesIO io.StringIO _io.StringIO inspect._empty inspect.Parameter
    inspect.Signature http.HTTPStatus subprocess.CompletedProcess"""
)


def full_name(module: str, name: str, protocol: int) -> str:
    """The dotted name, as Python 3 spells it."""
    if protocol <= PYTHON_2:
        module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
    return f"{module}.{name}"


def is_code(name: str) -> bool:
    """Whether a file that only names it was made to run something."""
    root, _, rest = name.partition(".")
    if root == "builtins":
        is_error = rest.endswith(("Error", "Warning", "Exception", "Interrupt", "Iteration"))
        return rest not in PLAIN_BUILTINS and not is_error
    if root == "types":
        return rest in ("CodeType", "FunctionType", "LambdaType", "ModuleType")
    return root in CODE and name not in VALUES_OF_CODE


def makes_a_value(name: str) -> bool:
    """Whether a call of it makes an object: a class, as its capital says, or a known constructor.
    Other functions may do anything.
    """
    last = name.rpartition(".")[2]
    return (
        last.lstrip("_")[:1].isupper()
        or name in CONSTRUCTORS
        or BY_CUSTOM.fullmatch(last) is not None
        or (name.startswith("builtins.") and not is_code(name))
    )

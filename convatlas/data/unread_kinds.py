"""Files that hold images of a sort, but of none that is read here: what they are, what to do."""

import os
from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of file that is not read."""

    name: str  # in the singular: "SVG drawing"
    remedy: str  # what to do about it, in the imperative


_SAVE = "save it as PNG or TIFF"
_DEVELOP = "develop it to TIFF or JPEG"
_FRAMES = "take pictures out of it, as PNG or JPEG"
_RAW = ".cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .dng .raf .rw2 .orf .pef .raw .srw .3fr .iiq .x3f"
_VIDEO = ".mp4 .m4v .mov .avi .mkv .webm .wmv .flv .mpg .mpeg .mts .ogv"
_KINDS = {
    **dict.fromkeys(_RAW.split(), Kind("raw photograph", _DEVELOP)),
    **dict.fromkeys(_VIDEO.split(), Kind("video", _FRAMES)),
    ".svg": Kind("SVG drawing", "draw it as PNG, at the size that is needed"),
    ".svgz": Kind("SVG drawing", "draw it as PNG, at the size that is needed"),
    ".eps": Kind("PostScript page", "draw it as PNG, at the size that is needed"),
    ".ps": Kind("PostScript page", "draw it as PNG, at the size that is needed"),
    ".ai": Kind("Illustrator drawing", "draw it as PNG, at the size that is needed"),
    ".wmf": Kind("Windows metafile", "draw it as PNG, at the size that is needed"),
    ".emf": Kind("Windows metafile", "draw it as PNG, at the size that is needed"),
    ".pdf": Kind("PDF document", "take the pictures out of it, as PNG or JPEG"),
    ".djvu": Kind("DjVu document", "take the pictures out of it, as PNG or JPEG"),
    ".psd": Kind("Photoshop document", _SAVE),
    ".psb": Kind("Photoshop document", _SAVE),
    ".xcf": Kind("GIMP document", _SAVE),
    ".kra": Kind("Krita document", _SAVE),
    ".jxl": Kind("JPEG XL image", _SAVE),
    ".jxr": Kind("JPEG XR image", _SAVE),
    ".wdp": Kind("JPEG XR image", _SAVE),
    ".exr": Kind("OpenEXR image", _SAVE),
    ".hdr": Kind("Radiance image", _SAVE),
    ".tga": Kind("Targa image", _SAVE),
    ".ico": Kind("Windows icon", _SAVE),
    ".icns": Kind("macOS icon", _SAVE),
    ".cur": Kind("Windows cursor", _SAVE),
    ".pcx": Kind("PCX image", _SAVE),
    ".dds": Kind("DirectDraw texture", _SAVE),
    ".ktx": Kind("Khronos texture", _SAVE),
    ".sgi": Kind("SGI image", _SAVE),
    ".rgb": Kind("SGI image", _SAVE),
    ".ras": Kind("Sun raster image", _SAVE),
    ".xbm": Kind("X bitmap", _SAVE),
    ".xpm": Kind("X pixmap", _SAVE),
    ".qoi": Kind("QOI image", _SAVE),
    ".flif": Kind("FLIF image", _SAVE),
    ".bpg": Kind("BPG image", _SAVE),
    ".pam": Kind("PAM image", _SAVE),
    ".fits": Kind("FITS image", _SAVE),
    ".fit": Kind("FITS image", _SAVE),
    ".dcm": Kind("DICOM image", _SAVE),
    ".dicom": Kind("DICOM image", _SAVE),
    ".nii": Kind("NIfTI volume", "save its slices as PNG or TIFF"),
    ".mha": Kind("MetaImage volume", "save its slices as PNG or TIFF"),
    ".nrrd": Kind("NRRD volume", "save its slices as PNG or TIFF"),
    ".svs": Kind("scanned slide", "cut it into pictures, as PNG or JPEG"),
    ".ndpi": Kind("scanned slide", "cut it into pictures, as PNG or JPEG"),
    ".mrxs": Kind("scanned slide", "cut it into pictures, as PNG or JPEG"),
    ".czi": Kind("microscope image", "save it as PNG or TIFF"),
    ".npy": Kind("NumPy array", _SAVE),
    ".npz": Kind("NumPy archive", "save its arrays as PNG or TIFF"),
    ".mat": Kind("MATLAB file", "save its arrays as PNG or TIFF"),
    ".h5": Kind("HDF5 file", "save its arrays as PNG or TIFF"),
    ".hdf5": Kind("HDF5 file", "save its arrays as PNG or TIFF"),
    ".tfrecord": Kind("TensorFlow record", "save its pictures as PNG or JPEG"),
    ".parquet": Kind("Parquet table", "save its pictures as PNG or JPEG"),
    ".zip": Kind("archive", "unpack it"),
    ".tar": Kind("archive", "unpack it"),
    ".tgz": Kind("archive", "unpack it"),
    ".gz": Kind("archive", "unpack it"),
    ".bz2": Kind("archive", "unpack it"),
    ".xz": Kind("archive", "unpack it"),
    ".zst": Kind("archive", "unpack it"),
    ".7z": Kind("archive", "unpack it"),
    ".rar": Kind("archive", "unpack it"),
}


def kind_of(path: str | os.PathLike) -> Kind | None:
    """The kind of a file that holds pictures or may hold them and that is not read here, by its
    name alone; None for all others: what is read, and what holds no pictures.
    """
    extension = os.path.splitext(os.fspath(path))[1].lower()
    return _KINDS.get(extension)

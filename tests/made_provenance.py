"""The machine and the versions that made-up runs say they were made with."""

SOURCE = {
    "convatlas": "0.1.0",
    "commit": "0123456789ab",
    "torch": "2.14.1",
    "torchvision": "0.29.1",
    "python": "3.11.7",
    "system": "Linux x86_64",
    "device": "Old Faithful 4",
    "cores": 4,
    "threads": 1,
    "processes": 1,
}

"""Canonical Huffman codes: only the lengths are stored, and the words follow from them.

Words of one length are consecutive numbers in the order of their symbols, shorter words come first,
and the first bit of a word is its highest. A file may come from a stranger: lengths that make no
complete code are refused, and so is a stream that does not end where it must.
"""

import heapq

import numpy as np

LONGEST = 16  # bits of a word, so that a table of all next 16 bits can be looked up
SYMBOLS = 256  # of an alphabet
AT_A_TIME = 1 << 20  # symbols or bits, to bound what is held in memory


def lengths_for(counts: np.ndarray) -> np.ndarray:
    """Bits of each symbol's word, uint8, 0 for a symbol that does not occur.

    Counts so uneven that a word would be longer than 16 bits are halved until none is. A symbol
    that is alone gets a word of one bit.
    """
    counts = np.asarray(counts, dtype=np.int64)
    while (lengths := _unlimited(counts)).max(initial=0) > LONGEST:
        counts = (counts + 1) // 2
    return lengths


def _unlimited(counts: np.ndarray) -> np.ndarray:
    lengths = np.zeros(len(counts), dtype=np.uint8)
    heap = [(int(count), symbol, [symbol]) for symbol, count in enumerate(counts) if count]
    heapq.heapify(heap)
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
    while len(heap) > 1:
        rare, rarer = heapq.heappop(heap), heapq.heappop(heap)
        joined = rare[2] + rarer[2]
        lengths[joined] += 1
        heapq.heappush(heap, (rare[0] + rarer[0], min(rare[1], rarer[1]), joined))
    return lengths


def words(lengths: np.ndarray) -> np.ndarray:
    """Each symbol's word as a number, uint32. ValueError for lengths that make no complete code."""
    lengths = np.asarray(lengths, dtype=np.uint8)
    used = np.flatnonzero(lengths)
    if not len(used) or lengths.max() > LONGEST:
        raise ValueError(f"a word has more than {LONGEST} bits, or there is none")
    taken = int((1 << (LONGEST - lengths[used].astype(np.int64))).sum())
    if taken != 1 << LONGEST and not (len(used) == 1 and lengths[used[0]] == 1):
        raise ValueError("the lengths of its words make no complete code")
    found = np.zeros(len(lengths), dtype=np.uint32)
    word, before = 0, 0
    for symbol in used[np.argsort(lengths[used], kind="stable")]:
        word <<= int(lengths[symbol]) - before
        before = int(lengths[symbol])
        found[symbol] = word
        word += 1
    return found


def encode(symbols: np.ndarray, lengths: np.ndarray) -> bytes:
    """The words one after the other; the last byte is filled up with zeros."""
    table = words(lengths)
    pieces, left = [], np.zeros(0, dtype=bool)
    for start in range(0, len(symbols), AT_A_TIME):
        part = symbols[start : start + AT_A_TIME]
        bits = np.concatenate([left, _bits(table[part], lengths[part])])
        whole = len(bits) // 8 * 8
        pieces.append(np.packbits(bits[:whole]).tobytes())
        left = bits[whole:]
    return b"".join([*pieces, np.packbits(left).tobytes()])


def _bits(table: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Words and their lengths -> their bits in a row."""
    places = lengths.astype(np.int64)[:, None] - 1 - np.arange(int(lengths.max()))
    return ((table[:, None] >> np.maximum(places, 0)) & 1).astype(bool)[places >= 0]


def decode(content: bytes, lengths: np.ndarray, count: int) -> np.ndarray:
    """`count` symbols, uint8, that fill the bytes up to less than one, which is filled with zeros.
    ValueError for anything else.
    """
    if count > 8 * len(content):
        raise ValueError(f"{len(content):,} bytes cannot hold {count:,} words")
    symbol_of, length_of = _tables(np.asarray(lengths, dtype=np.uint8))
    pieces, position, done = [], 0, 0
    while done < count:
        start = position // 8
        part = content[start : start + AT_A_TIME // 8]
        ahead = content[start + len(part) : start + len(part) + 3]
        windows = _windows(part, ahead)
        steps = length_of[windows].tobytes()
        inside, end = position - 8 * start, 8 * len(part)
        visited = []
        while inside < end and done < count:
            visited.append(inside)
            if not (step := steps[inside]):
                raise ValueError("a word stands in it that means nothing")
            inside += step
            done += 1
        if not visited:
            raise ValueError("it ends before its last word")
        pieces.append(symbol_of[windows[visited]])
        position = 8 * start + inside
    _require_end(content, position)
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.uint8)


def _require_end(content: bytes, position: int) -> None:
    rest = 8 * len(content) - position
    if not 0 <= rest < 8:
        raise ValueError("its words do not end where its bytes end")
    if rest and content[-1] & ((1 << rest) - 1):
        raise ValueError("it is not filled up with zeros")


def _tables(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the next 16 bits begin with: the symbol, and the bits of its word (0: no word)."""
    table = words(lengths)
    symbol_of = np.zeros(1 << LONGEST, dtype=np.uint8)
    length_of = np.zeros(1 << LONGEST, dtype=np.uint8)
    for symbol in np.flatnonzero(lengths):
        rest = LONGEST - int(lengths[symbol])
        begin = int(table[symbol]) << rest
        symbol_of[begin : begin + (1 << rest)] = symbol
        length_of[begin : begin + (1 << rest)] = lengths[symbol]
    return symbol_of, length_of


def _windows(part: bytes, ahead: bytes) -> np.ndarray:
    """The 16 bits from each bit of `part` on, which go on in `ahead` and then with zeros."""
    padded = np.frombuffer((part + ahead + bytes(3))[: len(part) + 3], dtype=np.uint8)
    padded = padded.astype(np.uint32)
    n = len(part)
    three = (padded[:n] << 16) | (padded[1 : n + 1] << 8) | padded[2 : n + 2]
    shifts = np.arange(8, 0, -1, dtype=np.uint32)
    return ((three[:, None] >> shifts) & 0xFFFF).reshape(-1)

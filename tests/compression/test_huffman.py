"""Huffman codes against a reader and a bound that share nothing with them."""

import numpy as np
import pytest

from convatlas.compression.huffman import AT_A_TIME, LONGEST, decode, encode, lengths_for, words


def read_bit_by_bit(content: bytes, lengths: np.ndarray, count: int) -> list[int]:
    """Canonical words rebuilt from their definition, matched one bit at a time."""
    word, table = 0, {}
    for length in range(1, LONGEST + 1):
        for symbol in np.flatnonzero(lengths == length):
            table[f"{word:0{length}b}"] = int(symbol)
            word += 1
        word <<= 1
    bits = "".join(f"{byte:08b}" for byte in content)
    found, begin = [], 0
    for end in range(1, len(bits) + 1):
        if bits[begin:end] in table and len(found) < count:
            found.append(table[bits[begin:end]])
            begin = end
    return found


@pytest.mark.parametrize(
    "counts",
    [[5], [0, 7, 0], [1, 1], [40, 20, 10, 5, 5], [1] * 21, [0, 900, 3, 0, 1, 50], [1] * 256],
)
def test_what_is_encoded_is_read_by_another_reader_and_by_ours(counts):
    symbols = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)
    np.random.default_rng(1).shuffle(symbols)
    lengths = lengths_for(np.array(counts))
    content = encode(symbols, lengths)
    assert read_bit_by_bit(content, lengths, len(symbols)) == symbols.tolist()
    assert decode(content, lengths, len(symbols)).tolist() == symbols.tolist()


def test_words_take_at_most_a_bit_more_than_the_entropy():
    counts = np.random.default_rng(2).integers(1, 1000, 64)
    shares = counts / counts.sum()
    mean = float((shares * lengths_for(counts)).sum())
    entropy = float(-(shares * np.log2(shares)).sum())
    assert entropy <= mean < entropy + 0.1


def test_words_of_canonical_form_are_as_printed():
    assert words(np.array([2, 1, 3, 3])).tolist() == [0b10, 0b0, 0b110, 0b111]


def test_counts_that_grow_as_fibonacci_s_get_words_of_16_bits_at_most():
    counts = [1, 1]
    while len(counts) < 40:
        counts.append(counts[-1] + counts[-2])
    lengths = lengths_for(np.array(counts))
    assert lengths.max() == LONGEST
    symbols = np.arange(40, dtype=np.uint8)
    assert decode(encode(symbols, lengths), lengths, 40).tolist() == symbols.tolist()


def test_more_than_is_held_at_once_goes_through():
    symbols = (np.arange(AT_A_TIME + 1001) % 3).astype(np.uint8)
    lengths = lengths_for(np.bincount(symbols))
    assert np.array_equal(decode(encode(symbols, lengths), lengths, len(symbols)), symbols)


@pytest.mark.parametrize(
    ("lengths", "content", "count", "why"),
    [
        ([1, 1, 1], b"\0", 3, "no complete code"),  # more words than there is room for
        ([1, 2], b"\0", 3, "no complete code"),  # fewer
        ([0, 0], b"\0", 1, "or there is none"),
        ([17, 1], b"\0", 1, "more than 16 bits"),
        ([1, 1], b"\0", 9, "cannot hold"),
        ([1, 2, 2], b"\xff", 8, "ends before"),
        ([2, 2, 2, 2], b"\0\0", 4, "do not end where its bytes end"),
        ([1, 1], b"\1", 3, "not filled up"),
        ([1], b"\x80", 1, "means nothing"),
    ],
)
def test_a_stream_that_cannot_be_is_refused(lengths, content, count, why):
    with pytest.raises(ValueError, match=why):
        decode(content, np.array(lengths, dtype=np.uint8), count)

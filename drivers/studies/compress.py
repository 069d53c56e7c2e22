"""compress.py KIND LEVEL DICTIONARY FILE: packs FILE and prints its bits a byte, plus a tenth of the milliseconds it took.

KIND is zlib, bz2 or lzma, LEVEL 1 to 9, DICTIONARY the size of lzma's in KiB ('default': what the level implies).
"""
import bz2
import json
import lzma
import sys
import time
import zlib

PRICE = 0.02  # bits a byte that a millisecond is worth


def pack(data, kind, level, dictionary):
    if kind == "zlib":
        return zlib.compress(data, level)
    if kind == "bz2":
        return bz2.compress(data, level)
    settings = {"id": lzma.FILTER_LZMA2, "preset": level}
    if dictionary != "default":
        settings["dict_size"] = int(dictionary) * 1024
    return lzma.compress(data, filters=[settings])


def main():
    kind, level, dictionary, path = sys.argv[1:]
    data = open(path, "rb").read()
    fastest = float("inf")
    for _ in range(5):
        start = time.process_time()
        packed = pack(data, kind, int(level), dictionary)
        fastest = min(fastest, time.process_time() - start)
    bits = 8 * len(packed) / len(data)
    value = bits + PRICE * 1000 * fastest
    print(json.dumps({"value": value, "kind": kind, "bits_per_byte": round(bits, 4), "milliseconds": round(1000 * fastest, 3)}))


main()

#!/usr/bin/env python3
"""Writes the corpus that `justcall-auth scan` is measured with: files that contain a pair, and files that only resemble them.

    corpus.py HALF FOLDER        HALF is `tuning` or `held-out`

Writes 100 leaks and 100 look-alikes under FOLDER, each in a separate folder with one file, and `manifest.json`. The manifest
has for each case its name, its path, whether it is a leak, and the lines with the key or the secret. The bytes of a half are
the same on every machine. The corpus shares no code with the scanner, and no value is a real secret.

The files in HALF/ contain the templates. A line `@@@ NAME PATH [OPTION…]` begins a template. Each placeholder between « and »
gets a new random value in every case:

    «key» «secret» «pair»    the two halves, and key:secret; only in a leak
    «X:base64» «X:url» «X:hex»   one of these, encoded
    «hex40» «alnum32» «b64_64» «int6»   noise of that length (b64: of that many bytes); the number may be any other
    «uuid» «q» «name» «company»   a UUID, one kind of quotation mark for the whole file, words
    «hex40#1»                the same value for the same number after #

The option `shape=hex40` (or hex32, alnum32, alnum48, url43, short) sets the shape of the halves. By default most are hex40.
The option `encoding=utf-16` writes the file like PowerShell.
"""

import base64
import hashlib
import json
import pathlib
import re
import sys
import urllib.parse
import uuid

CASES = 100
SEED = "justcall-auth scan corpus 1"
# Seven of ten pairs have the shape of all real pairs that are known.
SHAPES = ["hex40"] * 7 + ["hex32", "alnum32", "url43"]
NAMES = ["acme", "northwind", "globex", "initech", "umbra", "harbor", "lumen", "quill", "orchard", "vega"]
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Draw:
    """Random values that are the same on every machine: SHA-256 of a name and a counter."""

    def __init__(self, name):
        self.name, self.counter, self.pool = name, 0, b""

    def bytes(self, length):
        while len(self.pool) < length:
            self.pool += hashlib.sha256(f"{SEED}|{self.name}|{self.counter}".encode()).digest()
            self.counter += 1
        taken, self.pool = self.pool[:length], self.pool[length:]
        return taken

    def below(self, limit):
        return int.from_bytes(self.bytes(8), "big") % limit

    def choice(self, items):
        return items[self.below(len(items))]

    def hex(self, length):
        return self.bytes((length + 1) // 2).hex()[:length]

    def alnum(self, length):
        return "".join(self.choice(ALNUM) for _ in range(length))

    def noise(self, kind):
        """Returns the value of a placeholder that is not part of a pair."""
        if kind == "uuid":
            return str(uuid.UUID(bytes=self.bytes(16), version=4))
        if kind in ("name", "company"):
            return self.choice(NAMES) if kind == "name" else self.choice(NAMES).title()
        if match := re.fullmatch(r"hex(\d+)", kind):
            return self.hex(int(match[1]))
        if match := re.fullmatch(r"alnum(\d+)", kind):
            return self.alnum(int(match[1]))
        if match := re.fullmatch(r"b64_(\d+)", kind):
            return base64.b64encode(self.bytes(int(match[1]))).decode()
        if match := re.fullmatch(r"int(\d+)", kind):
            return str(self.below(9 * 10 ** (int(match[1]) - 1)) + 10 ** (int(match[1]) - 1))
        raise ValueError(f"no placeholder «{kind}»")

    def half(self, shape):
        if shape == "url43":
            return base64.urlsafe_b64encode(self.bytes(32)).decode().rstrip("=")
        if shape == "short":
            return self.alnum(16)
        return self.noise(shape)


def encode(value, encoding):
    if encoding == "base64":
        return base64.b64encode(value.encode()).decode()
    if encoding == "url":
        return urllib.parse.quote(value, safe="")
    if encoding == "hex":
        return value.encode().hex()
    raise ValueError(f"no encoding {encoding}")


class Template:
    def __init__(self, head, text):
        self.name, self.path, *options = head.split()
        self.options = dict(option.split("=") for option in options)
        self.text = text

    def case(self, name):
        """Returns the path of the file, its bytes, and the lines with a half."""
        draw = Draw(name)
        shape = self.options.get("shape") or draw.choice(SHAPES)
        key, secret = draw.half(shape), draw.half(shape)
        halves = {"key": key, "secret": secret, "pair": f"{key}:{secret}"}
        quote, kept, planted = draw.choice("'\""), {}, []

        def value(match):
            kind, _, number = match[1].partition("#")
            half, _, encoding = kind.partition(":")
            if half in halves:
                planted.append(encode(halves[half], encoding) if encoding else halves[half])
                return planted[-1]
            if kind == "q":
                return quote
            if not number:
                return draw.noise(kind)
            if number not in kept:
                kept[number] = draw.noise(kind)
            return kept[number]

        path = re.sub("«(.+?)»", value, self.path)
        text = re.sub("«(.+?)»", value, self.text)
        if "«" in text or "»" in text:
            raise ValueError(f"{self.name}: a placeholder is broken")
        lines = [
            number
            for number, line in enumerate(text.split("\n"), 1)
            if any(part in line for part in planted)
        ]
        if draw.below(10) == 0:
            text = text.replace("\n", "\r\n")
        encoding = self.options.get("encoding", "utf-8")
        return path, text.encode(encoding), lines


def templates(path):
    text = path.read_text(encoding="utf-8")
    for part in re.split(r"^@@@ ", text, flags=re.M)[1:]:
        head, _, body = part.partition("\n")
        yield Template(head, body)


def write(half, folder):
    here = pathlib.Path(__file__).resolve().parent / half
    manifest = []
    for kind in ("leaks", "look-alikes"):
        found = [template for file in sorted(here.glob(f"{kind}*.txt")) for template in templates(file)]
        if len({template.name for template in found}) != len(found):
            raise ValueError(f"{half}/{kind}: two templates have one name")
        for index in range(CASES):
            template = found[index % len(found)]
            name = f"{half}/{kind}/{index:03}-{template.name}"
            path, content, lines = template.case(name)
            if bool(lines) != (kind == "leaks"):
                raise ValueError(f"{name}: a leak has a pair, a look-alike has none")
            file = folder / f"{kind}/{index:03}-{template.name}" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            relative = file.relative_to(folder).as_posix()
            manifest.append({"name": name, "path": relative, "leak": kind == "leaks", "lines": lines})
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("tuning", "held-out"):
        sys.exit("usage: corpus.py tuning|held-out FOLDER")
    write(sys.argv[1], pathlib.Path(sys.argv[2]))

# SPDX-License-Identifier: LGPL-2.1-or-later
"""Partition definitions in every form that somebody may write, each a directory of files: what systemd-repart and this
program make of them is compared.

`cases()` maps a name to the files of a directory: path to content, or None for a link to /dev/null."""

NUMBERS = ["", "0", "5", "+5", "-5", "0x10", "0X1f", "0o17", "0O17", "017", "08", "0b101", "0B1", " 5 ", '"5"', "5x", "1e3",
           "1.5", "0x", "0b", "0o", "+0x10", "-0x10", "++5", "+-5", "+ 5", "5 5", "00", "1_000", "-0", "+0b11", "0x+5",
           "1000000", "1000001", "0xf4240", "4294967295", "4294967296", "2147483647", "2147483648", "-2147483648",
           "-2147483649", "18446744073709551615", "18446744073709551616", "0xffffffffffffffff", "0x10000000000000000", "%a"]
SIZES = ["", "0", "1", "4095", "4096", "4097", "20971519", "20971521", "16M", "16m", "16MB", "16 M", "1.5M", "12.3M", "0.5G",
         "1.M", ".5M", "1.5.5M", "1G512M", "1G 512M", "5M1G", "5M5M", "20M5", "20K4096B", "4096B", "+20M", "-5M", "5MiB",
         "1e3", "10%", "0x1000", "0x1000M", "0b1", "017", "12.000001M", "3G", '"20M"', "20M ", "infinity", "max", "5P5P",
         "99999999999999999999", "32E", "16E", "1.5", "20971520.9", "20M4097B", "1G1M1K1B", "20M B", "20M.5K", "20 M 1 K"]
BOOLEANS = ["", "yes", "no", "YES", "No", "y", "N", "t", "F", "on", "OFF", "1", "0", "true", "False", "2", "maybe", '"yes"',
            "yes no", "10", "-1", "auto", "01", "ye", "+1"]
UUID = "87654321-aBcD-4321-9876-0123456789ab"
UUIDS = ["", "null", "NULL", UUID, UUID.replace("-", ""), UUID.upper(), "{" + UUID + "}", UUID[:-1], UUID + "0",
         "urn:uuid:" + UUID, f'"{UUID}"', "0" * 32, "%M", UUID.replace("-", "", 1), UUID.replace("a", "g")]
LABELS = ["", "a" * 36, "a" * 37, "ä" * 36, "ä" * 37, "€" * 36, "🐧" * 18, "🐧" * 18 + "a", "🐧" * 19, "a" + "🐧" * 17 + "b",
          "a b", '"q"', "'q'", "a%%b", "%M", "%M_%A", "%o-%w", "[%W]", "%B", "%a", "%z", "%", "a%", "%T-", "a;b", "a#b",
          r"a\tb", r"\x41", "a=b", "_empty", "a\tb", "a/b", "%%M", "\x01", " a ", "a\u00a0", "\u00a0"]
PATHS = ["", "/", "/a", "/a/", "//a//b", "/a/./b", "/a/../b", "a", "./a", "/a b", '"/a b"', "/a /b", "/%M", "/%z", '"/a',
         r"/a\ b", r"/a\x20b", "/a:/b", "/a:b", "/a:", ":/b", "/a:/b:c", "/a:/b:/c:/d", '"/a:/b"', "'/a'", "/ä", "/" + "a" * 300,
         "/a:/b:ro", "/a:ro", "/a /a", "/a:/b /a:/c", "/a\\", "/" + "a/" * 2100 + "a"]
WORDS = {
    "Format": ["", "ext4", "EXT4", "btrfs", "vfat", "swap", "empty", '"ext4"', "ext4 ", "a/b", "..", ".", "e xt4"],
    "Minimize": ["", "off", "best", "guess", "yes", "no", "BEST", "0", "1", "true", "maybe", '"best"', "t", "OFF"],
    "Verity": ["", "off", "data", "hash", "signature", "sig", "Data", "maybe", "yes", "no", '"off"'],
    "VerityMatchKey": ["", "usr", "a b", '"usr"'],
    "Compression": ["", "zstd", "none", "ä", '"zstd"'],
    "CompressionLevel": ["", "3", "0x3", "-1", "99", "many", "22", "023"],
    "SplitName": ["", "-", "a", "%t", "%U", "%T", "%z", "a/b", "%n", "a b", '"a"', "%%", "%", ".", "..", "ä", "%M"],
    "Encrypt": ["", "off", "no", "0", "false", "OFF", "maybe"],
    "EncryptKDF": ["", "argon2id", "pbkdf2", "minimal", "scrypt"],
    "Integrity": ["", "off", "maybe", "no"],
    "IntegrityAlgorithm": ["", "hmac-sha256", "hmac-sha1", "maybe"],
    "VolumeLabel": LABELS[:12] + ["%M", "%z"],
    "VolumeName": ["", "a", "a/b", "a b"],
    "TPM2PCRs": ["", "7", "7+11", "pcr", "99"],
    "EncryptedVolume": ["", "a", "a:b", "a:b:c", "a:b:c:fixate-volume-key", "a:b:c:d:e", "a/b", ":x", "a::c", '"a b"', "a b",
                        ".", "a:none:x=y,z"],
    "VerityDataBlockSizeBytes": ["", "4096", "4K", "0x1000", "1000", "8192"],
    "VerityHashBlockSizeBytes": ["", "4096", "4K", "4096B", "256"],
    "FileSystemSectorSize": ["", "512", "4K", "1000", "2048", "0"],
    "SupplementFor": ["", "10-x", "a/b", "10", "..", "missing"],
    "MountPoint": ["", "/", "/a", "/a:ro", "/a:ro:x", "a", '"/a:b":ro', "/a b", '"/a', "/a:", ":ro", "/%M", "/a/../b", r"/a\x20b"],
    "CopyBlocks": ["", "a", "/%z"],
    "KeyFile": [""],
    "BlockDeviceReplace": [""],
    "DefaultSubvolume": ["", "/a", "a"],
}
KINDS = {
    "Priority": NUMBERS, "Weight": NUMBERS, "PaddingWeight": NUMBERS, "Flags": NUMBERS,
    "SizeMinBytes": SIZES, "SizeMaxBytes": SIZES, "PaddingMinBytes": SIZES, "PaddingMaxBytes": SIZES,
    "NoAuto": BOOLEANS, "ReadOnly": BOOLEANS, "GrowFileSystem": BOOLEANS, "AddValidateFS": BOOLEANS,
    "FactoryReset": BOOLEANS, "Discard": BOOLEANS,
    "UUID": UUIDS, "Label": LABELS,
    "CopyFiles": PATHS, "ExcludeFiles": PATHS, "ExcludeFilesTarget": PATHS, "MakeDirectories": PATHS,
    "MakeSymlinks": PATHS, "Subvolumes": PATHS,
} | WORDS


def definition(*lines, kind="linux-generic"):
    return "\n".join(["[Partition]", f"Type={kind}", *lines]) + "\n"


def _values():
    """Every setting with every value, alone and before and after a plain one."""
    for key, values in KINDS.items():
        kind = "home" if key in ("NoAuto", "ReadOnly", "GrowFileSystem", "Flags") else "linux-generic"
        # On a disk of less than 2 MiB libfdisk begins elsewhere.
        beside = {"00.conf": definition("SizeMinBytes=32M", kind="srv")} if key.startswith("Size") else {}
        base = {"Subvolumes": ["Format=btrfs"], "DefaultSubvolume": ["Format=btrfs", "Subvolumes=/a"]}.get(key, [])
        for value in values:
            yield f"{key}={value}", beside | {"10-x.conf": definition(*base, f"{key}={value}", kind=kind)}


RESETS = {
    "SizeMinBytes": "20M", "SizeMaxBytes": "20M", "PaddingMinBytes": "8M", "PaddingMaxBytes": "8M", "Label": "x", "UUID": UUID,
    "Priority": "3", "Weight": "3", "PaddingWeight": "3", "Flags": "5", "NoAuto": "yes", "ReadOnly": "yes",
    "GrowFileSystem": "no", "AddValidateFS": "no", "FactoryReset": "yes", "Format": "ext4", "CopyFiles": "/usr",
    "MakeDirectories": "/a", "MakeSymlinks": "/a:b", "Minimize": "guess", "SplitName": "a", "Type": "home",
    "CopyBlocks": "/blocks", "VerityMatchKey": "x", "Verity": "data", "Encrypt": "off", "Compression": "zstd",
    "ExcludeFiles": "/a", "MountPoint": "/a", "EncryptedVolume": "a", "VolumeLabel": "a", "SupplementFor": "20-x",
}


def _resets():
    for key, value in RESETS.items():
        for kind in ("home", "esp"):
            yield f"{kind}: {key}={value}, reset", {"10-x.conf": definition(f"{key}={value}", f"{key}=", kind=kind)}
        yield f"{key} set, wrong, plain", {"10-x.conf": definition(f"{key}={value}", kind="home")}


def _types():
    architectures = ("alpha arc arm arm64 ia64 loongarch64 mips mips64 mips-le mips64-le parisc ppc ppc64 ppc64-le riscv32 "
                     "riscv64 s390 s390x tilegx x86 x86-64").split()
    for role in ("root", "usr"):
        for suffix in ("", "-verity", "-verity-sig"):
            yield f"all of {role}{suffix}", {"00.conf": definition()} | {
                f"{n:02}-{word}.conf": definition(kind=f"{role}-{word}{suffix}") for n, word in enumerate(architectures, 1)}
    for word in ("root usr root-verity root-verity-sig usr-verity usr-verity-sig root-secondary usr-secondary "
                 "root-secondary-verity usr-secondary-verity-sig esp xbootldr swap home srv var tmp user-home linux-generic "
                 "Root ROOT root-x86_64 root-aarch64 root-amd64 usr-foo root- lvm raid esp-verity null").split() + [
                     "", UUID, UUID.replace("-", ""), "0" * 32, '"root"', "root usr", "%a", " root ", "root-x86-64 ",
                     "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "C12A7328F81F11D2BA4B00A0C93EC93B"]:
        yield f"Type={word}", {"10-x.conf": f"[Partition]\nType={word}\n"}
    for number in (2, 3, 12):
        yield f"{number} of a kind", {f"{n:02}.conf": definition(kind="home") for n in range(number)}
    yield "too many", {f"{n:03}.conf": definition() for n in range(129)}
    yield "as many as there is room for", {f"{n:03}.conf": definition("SizeMinBytes=12M") for n in range(128)}


def _syntax():
    plain = "[Partition]\nType=home\n"
    for name, text in {
        "comments": "# a\n; b\n  # c\n[Partition]\n#Label=x\nType=home\n",
        "a comment behind a value": plain + "Label=a # b\n",
        "continued": plain + "Label=a\\\nb\n",
        "continued with blanks": plain + "Label=a  \\\n   b\n",
        "continued behind a comment": plain + "Label=a\\\n# c\nb\n",
        "continued at the end": plain + "Label=a\\",
        "continued by an empty line": plain + "Label=a\\\n\nNoAuto=yes\n",
        "two backslashes": plain + "Label=a\\\\\nNoAuto=yes\n",
        "a backslash and a blank": plain + "Label=a\\ \nNoAuto=yes\n",
        "a continued comment": plain + "# a\\\nLabel=x\n",
        "no end of line": plain + "Label=x",
        "carriage returns": "[Partition]\r\nType=home\r\nLabel=x\r\n",
        "only carriage returns": "[Partition]\rType=home\rLabel=x\r",
        "byte order mark": "\ufeff" + plain,
        "blanks": "  [Partition]  \n\tType \t=  home \nLabel =x\n",
        "section twice": plain + "[Partition]\nLabel=x\n",
        "section in lower case": "[partition]\nType=home\n",
        "section with blanks": "[ Partition ]\nType=home\n",
        "no section": "Type=home\n",
        "setting before the section": "Label=x\n" + plain,
        "unknown section": plain + "[Other]\nNonsense=1\nLabel=a\n",
        "unknown section first": "[Other]\nType=root\n" + plain,
        "ours": plain + "[X-Other]\nNonsense=1\n",
        "our setting": plain + "X-Mine=1\n",
        "our setting without a value": plain + "-Mine=1\n",
        "unknown setting": plain + "Nonsense=1\nLabel=x\n",
        "setting in lower case": plain + "label=x\n",
        "no equals sign": plain + "Label\n",
        "no name": plain + "=x\n",
        "section not closed": "[Partition\nType=home\n",
        "section empty": plain + "[]\n",
        "something behind the section": "[Partition] x\nType=home\n",
        "a NUL": plain + "Label=a\0b\n",
        "a vertical tab": plain + "Label=a\vb\n",
        "a form feed": plain + "Label=\fa\n",
        "a long line": plain + "Label=" + " " * 100000 + "x\n",
        "a very long line": plain + "X-Label=" + "x" * 1100000 + "\n",
        "many lines": plain + "# x\n" * 50000,
        "only a comment": "# nothing\n",
        "only a section": "[Partition]\n",
        "only an end of line": "\n",
    }.items():
        yield name, {"10-x.conf": text}
    yield "not UTF-8", {"10-x.conf": plain.encode() + b"Label=\xff\xfe\n"}
    yield "not UTF-8 in a comment", {"10-x.conf": plain.encode() + b"# \xff\n"}


def _files():
    home, named = definition(kind="home"), "[Partition]\nLabel=named\n"
    for name, files in {
        "drop-in": {"10.conf": home, "10.conf.d/a.conf": named},
        "drop-ins in order": {"10.conf": home, "10.conf.d/b.conf": named, "10.conf.d/a.conf": "[Partition]\nLabel=a\n"},
        "drop-in that is none": {"10.conf": home, "10.conf.d/a.txt": named, "10.conf.d/.a.conf": named},
        "drop-in masked": {"10.conf": home, "10.conf.d/a.conf": None},
        "drop-in empty": {"10.conf": home, "10.conf.d/a.conf": ""},
        "drop-in without its file": {"10.conf": home, "20.conf.d/a.conf": named},
        "drop-in with the type": {"10.conf": "[Partition]\n", "10.conf.d/a.conf": home},
        "drop-in that resets": {"10.conf": definition("Label=x", "SizeMinBytes=20M", "UUID=" + UUID, kind="home"),
                                "10.conf.d/a.conf": "[Partition]\nUUID=\nSizeMinBytes=16M\n"},
        "drop-in of another name": {"10.conf": home, "10.d/a.conf": named},
        "drop-in with mistakes": {"10.conf": home, "10.conf.d/a.conf": "[Partition]\nSizeMinBytes=x\n"},
        "a masked file": {"10.conf": None, "20.conf": home},
        "a masked file with drop-ins": {"10.conf": None, "10.conf.d/a.conf": home, "20.conf": home},
        "an empty file": {"10.conf": "", "20.conf": home},
        "an empty file with drop-ins": {"10.conf": "", "10.conf.d/a.conf": home, "20.conf": home},
        "all masked": {"10.conf": None},
        "nothing": {"README": "text\n"},
        "other names": {"10.conf": home, "20.config": home, "30.CONF": home, "40.conf~": home, ".50.conf": home, "60.conf.bak": home},
        "order of names": {"b.conf": definition("Label=b"), "a.conf": definition("Label=a"), "B.conf": definition("Label=B"),
                           "10.conf": definition("Label=10"), "9.conf": definition("Label=9"), "ä.conf": definition("Label=ä")},
        "just the suffix": {".conf": home, "20.conf": home},
    }.items():
        yield name, files


def _together():
    """Settings that work on each other."""
    for lines in [
        ["SizeMaxBytes=5M"], ["SizeMaxBytes=5M", "Format=ext4"], ["SizeMaxBytes=4K"], ["SizeMaxBytes=20M"],
        ["SizeMinBytes=5M", "SizeMaxBytes=5M"], ["SizeMinBytes=6M", "SizeMaxBytes=5M"], ["SizeMinBytes=4K"],
        ["SizeMinBytes=0"], ["SizeMinBytes=1", "SizeMaxBytes=1"], ["SizeMinBytes=0", "SizeMaxBytes=0"],
        ["Format=ext4"], ["Format=btrfs"], ["Format=vfat"], ["Format=swap"], ["Format=empty"], ["Format=ext4", "SizeMinBytes=40M"],
        ["Format=ext4", "SizeMinBytes=4M"], ["Format=ext4", "SizeMinBytes=4M", "SizeMaxBytes=4M"], ["Format=btrfs", "SizeMaxBytes=1G"],
        ["Format=empty", "Label=x"], ["Label=x", "Format=empty"], ["Format=empty", "NoAuto=no"], ["Format=empty", "Label="],
        ["MakeDirectories=/a"], ["MakeDirectories=/a /b", "MakeDirectories=/a"], ["MakeSymlinks=/a:b"], ["CopyFiles=/usr"],
        ["CopyFiles=/usr", "CopyFiles="], ["MakeDirectories=/a", "MakeDirectories="], ["AddValidateFS=yes"], ["AddValidateFS=no"],
        ["Format=ext4", "AddValidateFS=yes"], ["Format=vfat", "AddValidateFS=yes"], ["Format=swap", "AddValidateFS=yes"],
        ["Format=swap", "CopyFiles=/usr"], ["Format=swap", "MakeDirectories=/a"], ["Format=ext4", "CopyBlocks=/blocks"],
        ["CopyFiles=/usr", "CopyBlocks=/blocks"], ["Format=empty", "CopyBlocks=/blocks"], ["Format=empty", "CopyFiles=/usr"],
        ["Minimize=guess"], ["Minimize=best"], ["Minimize=guess", "Format=ext4"], ["Minimize=best", "Format=ext4"],
        ["Minimize=best", "Format=vfat"], ["Minimize=guess", "Format=empty"], ["Minimize=guess", "CopyFiles=/usr"],
        ["Minimize=off"], ["Format=squashfs"], ["Format=erofs"], ["Format=erofs", "AddValidateFS=no"],
        ["Format=erofs", "AddValidateFS=no", "CopyFiles=/usr"], ["Format=squashfs", "AddValidateFS=no"],
        ["Verity=data"], ["VerityMatchKey=x"], ["Verity=off", "VerityMatchKey=x"], ["Verity=signature", "VerityMatchKey=x", "SizeMinBytes=1M"],
        ["Subvolumes=/a"], ["Format=btrfs", "Subvolumes=/a"], ["Format=btrfs", "Subvolumes=/a:ro", "DefaultSubvolume=/a"],
        ["Format=btrfs", "Subvolumes=/a:ro,nodatacow"], ["Format=btrfs", "Subvolumes=/a:rw"], ["Format=btrfs", "Subvolumes=/a:"],
        ["Format=btrfs", "DefaultSubvolume=/a"], ["Format=btrfs", "Subvolumes=/a", "DefaultSubvolume=/b"], ["Format=btrfs", "DefaultSubvolume=/"],
        ["VolumeName=a"], ["VolumeLabel=a"], ["EncryptKDF=pbkdf2"], ["Integrity=inline"], ["Discard=yes"], ["EncryptedVolume=a"],
        ["Compression=zstd"], ["Format=ext4", "Compression=zstd"], ["Format=vfat", "Compression=zstd"], ["CompressionLevel=3"],
        ["PaddingMinBytes=8M"], ["PaddingMinBytes=8M", "PaddingMaxBytes=4M"], ["PaddingMaxBytes=4M"], ["PaddingMinBytes=5000"],
        ["Format=vfat", "FileSystemSectorSize=512"], ["Format=vfat", "FileSystemSectorSize=4096"],
        ["Flags=0x2000000000000000"], ["Priority=5"], ["Priority=-5"], ["Weight=0"], ["NoAuto=yes", "Flags=5"], ["Flags=0x5", "Flags=6"],
        ["ReadOnly=yes", "GrowFileSystem=yes"], ["ReadOnly=yes"], ["ReadOnly=no"], ["GrowFileSystem=no"],
        ["Flags=0xffffffffffffffff"], ["Flags=0xffffffffffffffff", "NoAuto=no", "ReadOnly=no", "GrowFileSystem=no"],
        ["UUID=" + UUID, "UUID=null"], ["UUID=null"], ["SupplementFor=10-x"], ["Encrypt=off", "Encrypt=no"],
        ["Label=a", "Label="], ["Label=a", "Label=b"],
    ]:
        for kind in ("root", "esp", "swap"):
            yield f"{kind}: {', '.join(lines)}", {"10-x.conf": definition(*lines, kind=kind)}
    same = "UUID=" + UUID
    hash_ = definition("Verity=hash", "VerityMatchKey=u", kind="usr-verity")
    data = definition("Format=erofs", "Verity=data", "VerityMatchKey=u", "CopyFiles=/usr:/", kind="usr")
    signature = definition("Verity=signature", "VerityMatchKey=u", kind="usr-verity-sig")
    for name, files in {
        "two with one UUID": {"10.conf": definition(same), "20.conf": definition(same)},
        "two with one label": {"10.conf": definition("Label=a"), "20.conf": definition("Label=a")},
        "a label that another would get": {"10.conf": definition("Label=home", kind="home"), "20.conf": definition(kind="home")},
        "a label that an earlier one got": {"10.conf": definition(kind="home"), "20.conf": definition("Label=home", kind="home")},
        "verity": {"10.conf": data, "20.conf": hash_, "30.conf": signature},
        "verity without data": {"10.conf": hash_},
        "verity without hash": {"10.conf": data},
        "verity with two hashes": {"10.conf": data, "20.conf": hash_, "30.conf": hash_},
        "verity with another key": {"10.conf": data, "20.conf": hash_.replace("=u\n", "=v\n")},
        "supplement": {"10-a.conf": definition("Format=ext4"), "20-b.conf": definition("Format=ext4", "SupplementFor=10-a", "CopyFiles=/usr")},
        "supplement for nothing": {"10-a.conf": definition(), "20-b.conf": definition("SupplementFor=30-c")},
        "supplement for itself": {"10-a.conf": definition("SupplementFor=10-a")},
        "supplement with the suffix": {"10-a.conf": definition(), "20-b.conf": definition("SupplementFor=10-a.conf")},
        "supplement of a supplement": {"10-a.conf": definition(), "20-b.conf": definition("SupplementFor=10-a"),
                                       "30-c.conf": definition("SupplementFor=20-b")},
        "priorities": {"10.conf": definition("Priority=5", "Label=a"), "20.conf": definition("Priority=-5", "Label=b")},
        "paddings": {"10.conf": definition("PaddingMinBytes=3M", "Label=a"), "20.conf": definition("PaddingMinBytes=5M"),
                     "30.conf": definition("SizeMinBytes=12M", "SizeMaxBytes=12M")},
    }.items():
        yield name, files


def cases():
    made = {}
    for source in (_values, _resets, _types, _syntax, _files, _together):
        for name, files in source():
            assert name not in made, name
            made[name] = files
    return made

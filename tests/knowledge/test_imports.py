"""Files that were made to do harm, or saved the wrong way: refused whole, in time, with file, line and reason."""

from __future__ import annotations

import io
import json
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from knowledge.entry import BadEntry
from knowledge.imports import LARGEST, LARGEST_ARCHIVE, MOST_FILES, json_of, read_file, rows_of, unpacked
from knowledge.links import Answer, NoAnswer, bad_link
from knowledge.reading import write_entry
from tests.knowledge.foreign import SILENT, foreign, taken, zipped
from tests.knowledge.shelf import entry

GOOD = json.dumps([foreign()], indent=1, ensure_ascii=False)
FILE = write_entry(entry())


@contextmanager
def refused(reason: str, line: int | None = None, within: float = 1.0) -> Iterator[None]:
    """Refused in time, for this reason, on this line."""
    began = time.process_time()
    with pytest.raises(BadEntry) as found:
        yield
    assert time.process_time() - began < within
    assert reason in found.value.reason
    assert line in (None, found.value.line)
    assert found.value.file
    assert "\n" not in str(found.value)


def peak(act: Callable[[], object], reason: str) -> int:
    """How much memory a refusal took, in bytes."""
    tracemalloc.start()
    try:
        with refused(reason):
            act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- what a file is


def test_a_file_larger_than_any_is_refused_without_reading_it(tmp_path: Path) -> None:
    big = tmp_path / "feed.json"
    with big.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    assert peak(lambda: read_file(big), "larger than 50 MB") < 1024 * 1024


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with refused("no file"):
        read_file(tmp_path)
    with refused("cannot be read"):
        read_file(tmp_path / "missing.json")


@pytest.mark.parametrize("name", ["feed.json", "feed.csv", "entry.md", "feed.zip"])
def test_an_empty_file_is_refused(name: str) -> None:
    for data in (b"", b" \n\n"):
        with refused("" if name.endswith("zip") else "it is empty", 1):
            taken(data, file=name)


@pytest.mark.parametrize("name", ["feed.txt", "feed", "feed.json.exe", "feed.xlsx"])
def test_an_ending_that_is_not_known_is_refused(name: str) -> None:
    with refused("its name ends in none of", 1):
        taken(GOOD.encode(), file=name)


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (GOOD.encode(), "feed.csv", "no column slug"),
        (FILE.encode(), "feed.json", "not valid JSON"),
        (GOOD.encode(), "entry.md", "an entry begins with"),
        (zipped({"a.json": b"[]"}), "feed.json", "it is an archive"),
        (GOOD.encode(), "feed.zip", "no archive"),
    ],
)
def test_an_ending_that_lies_is_refused(data: bytes, name: str, reason: str) -> None:
    with refused(reason):
        taken(data, file=name)


@pytest.mark.parametrize("name", ["feed.json", "feed.csv", "entry.md"])
def test_only_utf_8_is_read(name: str) -> None:
    text = "a\nb\ncafé\n"
    with refused("UTF-16", 1):
        taken(text.encode("utf-16"), file=name)
    with refused("not UTF-8", 3):
        taken(text.encode("windows-1252"), file=name)
    with refused("zero byte", 2):
        taken(b"a\nb\0c", file=name)


def test_the_mark_that_spreadsheets_put_before_utf_8_is_no_part_of_the_text() -> None:
    assert len(taken(b"\xef\xbb\xbf" + GOOD.encode()).entries) == 1


# --- archives


def test_an_archive_of_plain_files_is_taken_whole_or_not_at_all() -> None:
    found = taken(zipped({"feed.json": GOOD.encode(), "folder/entry.md": FILE.encode()}), file="all.zip")
    assert [one.id for one in found.entries] == ["example-pet-fostering", "example-helpline"]
    with pytest.raises(BadEntry, match=r"^bad\.json, line 1"):
        taken(zipped({"bad.json": b"{", "entry.md": FILE.encode()}), file="all.zip")


def test_a_bomb_is_refused_by_what_it_declares() -> None:
    bomb = zipped({"feed.json": bytes(LARGEST_ARCHIVE + 1)})
    assert len(bomb) < 100_000
    with refused("unpacks to more than"):
        taken(bomb, file="all.zip")


def test_a_bomb_that_declares_little_is_refused_before_it_fills_the_memory() -> None:
    bomb = bytearray(zipped({"feed.json": bytes(4 * LARGEST_ARCHIVE)}))
    size = struct.pack("<I", 4 * LARGEST_ARCHIVE)
    while size in bomb:
        at = bomb.index(size)
        bomb[at : at + 4] = struct.pack("<I", 10)
    assert peak(lambda: unpacked(bytes(bomb), "all.zip"), "") < LARGEST_ARCHIVE


def test_more_files_than_any_archive_needs_are_refused_before_they_are_listed() -> None:
    with refused(f"more than {MOST_FILES} files"):
        taken(zipped({f"{n}.md": b"" for n in range(MOST_FILES + 1)}), file="all.zip")
    member = b"PK\x01\x02" + bytes(42)
    with refused(f"more than {MOST_FILES} files"):
        unpacked(b"PK\x03\x04" + member * 100_000, "all.zip")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../entry.md", "outside the archive"),
        ("/etc/entry.md", "outside the archive"),
        ("a/../../entry.md", "outside the archive"),
        ("..\\entry.md", "outside the archive"),
        ("c:entry.md", "outside the archive"),
        ("inner.zip", "archive in an archive"),
        ("inner.tar.gz", "archive in an archive"),
        ("\x1b[2Jentry.md", "no name of a file"),
        ("entry.exe", "ends in none of"),
    ],
)
def test_a_name_that_is_not_plain_is_refused(name: str, reason: str) -> None:
    with refused(reason):
        taken(zipped({name: FILE.encode()}), file="all.zip")


def test_an_archive_in_an_archive_is_refused_under_any_name() -> None:
    with refused("archive in an archive"):
        taken(zipped({"entry.md": zipped({"entry.md": FILE.encode()})}), file="all.zip")


def test_a_link_is_refused() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        link = zipfile.ZipInfo("entry.md")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with refused("a link or a device"):
        taken(made.getvalue(), file="all.zip")


def test_an_encrypted_archive_is_refused() -> None:
    locked = bytearray(zipped({"entry.md": FILE.encode()}))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    with refused("is encrypted"):
        taken(bytes(locked), file="all.zip")


@pytest.mark.parametrize("cut", [10, 40, 100])
def test_a_torn_archive_is_refused(cut: int) -> None:
    whole = zipped({"entry.md": FILE.encode()})
    for torn in (whole[:-cut], whole[: cut + 30] + b"\0\0\0\0" + whole[cut + 34 :]):
        with refused(""):
            taken(torn, file="all.zip")


def test_one_name_twice_in_an_archive_is_refused() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("entry.md", FILE)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("entry.md", FILE)
    with refused("twice"):
        taken(made.getvalue(), file="all.zip")


# --- an entry's own file, by its own reader


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("title: Example Helpline", "title: &a Example\ncost: *a", "anchors and aliases"),
        ("title: Example Helpline", "title: !!python/object/apply:os.system [id]", "tags"),
        ("owner: catalogue lead", "owner: one\nowner: two", "twice"),
        ("checked: '2026-11-01'", "checked: no", "a date such as"),
        ("review_by: '2027-05-01'\n", "", "review_by is missing"),
        ("owner: catalogue lead\n", "", "owner is missing"),
        ("area:\n- uk\n", "", "area is missing"),
        ("title: Example Helpline", "title: " + "[" * 10_000, "nested deeper"),
    ],
)
def test_an_entry_that_is_wrong_is_refused_with_its_line(old: str, new: str, reason: str) -> None:
    assert old in FILE
    with refused(reason):
        taken(FILE.replace(old, new).encode(), file="entry.md")


def test_dates_without_quotes_and_a_plain_no_are_what_they_say() -> None:
    bare = FILE.replace("'2027-05-01'", "2027-05-01").replace("---\nRing", "public: no\n---\nRing")
    (found,) = taken(bare.encode(), file="entry.md").entries
    assert found == entry(public=False)


def test_a_bomb_of_aliases_is_refused() -> None:
    bomb = "a: &a [x, x]\n" + "\n".join(
        f"{two}: &{two} [*{one}, *{one}]" for one, two in zip("abcdefg", "bcdefgh", strict=True)
    )
    with refused("anchors and aliases", 2):
        taken(f"---\n{bomb}\n---\nx\n".encode(), file="entry.md")


# --- JSON


@pytest.mark.parametrize(
    "text",
    ["[" * 10_000, "[" * 10_000 + "]" * 10_000, '{"a":' * 10_000, '[{"a":' * 5_000 + "1" + "}]" * 5_000],
)
def test_ten_thousand_brackets_are_refused_in_time(text: str) -> None:
    with refused("nested deeper"):
        taken(text.encode())


@pytest.mark.parametrize("text", ['"' * 9_999, '\\"' * 10_000, '"' + '\\"' * 1_000_000, '"' * 1_000_000, "'" * 10_000])
def test_ten_thousand_quotes_are_refused_in_time(text: str) -> None:
    for name in ("feed.json", "feed.csv", "entry.md"):
        with refused(""):
            taken(text.encode(), file=name)


@pytest.mark.parametrize("text", ["1" * 5_000, "[NaN]", "[-Infinity]", "[1,]", "{'a': 1}", '["\\ud800', "nul"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with refused("not valid JSON", 1):
        taken(text.encode())


def test_a_number_beyond_all_numbers_is_refused() -> None:
    with refused("no such number"):
        taken(GOOD.replace(": 16", ": 1e400").encode())


def test_half_of_a_pair_of_letters_is_left_out_of_the_text() -> None:
    assert taken(GOOD.replace("A charity", "A \\ud800charity").encode()).entries


def test_a_name_that_stands_twice_is_refused_with_the_line_of_the_second() -> None:
    with refused("name stands there twice", 5):
        json_of('{"a": 1,\n "b": [{\n  "name": "}",\n\n  "name": 2}], "a": [', "feed.json")
    with refused("a stands there twice", 1):
        json_of('{"a": 1, "a": {}}', "feed.json")


def test_a_value_is_found_on_its_line() -> None:
    read = json_of('{\n "a": [1,\n  {"b": "x\\"]", "c":\n null}],\n "d": {}\n}', "feed.json")
    lines = {(): 1, ("a",): 2, ("a", 0): 2, ("a", 1): 3, ("a", 1, "b"): 3, ("a", 1, "c"): 4, ("d",): 5, ("d", "e"): 5}
    assert {path: read.line_of(path) for path in lines} == lines


@pytest.mark.parametrize("value", [{}, [], 7, "x", {"contents": []}, {"contents": {}}, [7], {"contents": [[]]}])
def test_a_file_without_services_is_refused(value: object) -> None:
    with refused("service"):
        taken(value)


def test_more_services_than_any_directory_has_are_refused() -> None:
    with refused("more than 2000 services"):
        taken([{}] * 2_001)


def test_a_million_letters_in_one_line_are_refused() -> None:
    long = "x" * 1024 * 1024
    with refused("longer than 20000"):
        taken(GOOD.replace("A charity", long).encode())
    with refused("longer than 512 KB", 2):
        taken(f"slug,name,what_for,sources\n{long}".encode(), file="feed.csv")
    with refused("longer than 64 KB"):
        taken(FILE.replace("Ring", long).encode(), file="entry.md")
    with refused("larger than 10 MB"):
        taken(b"x" * (LARGEST + 1))


# --- CSV

HEAD = "slug,name,what_for,sources,area,owner,review_by,categories\n"
ROW = "example-one,Example One,Helps.,A page,blackpool,catalogue lead,2027-05-01,pets\n"


def test_a_table_is_taken() -> None:
    (found,) = taken((HEAD + ROW).encode(), file="feed.csv").entries
    assert (found.id, found.areas, found.sources[0].date) == ("example-one", ("blackpool",), "undated")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (HEAD, 1, "no rows"),
        ("slug,slug,name,what_for,sources\n", 1, "twice"),
        ("slug,,name,what_for,sources\n", 1, "names of its columns"),
        (",".join(f"c{n}" for n in range(300)) + "\n", 1, "names of its columns"),
        (HEAD + "a,b,c,d,e,f,g,h,i\n", 2, "9 cells"),
        (HEAD + ROW + '\n"unended', 4, "not valid CSV"),
        (HEAD + ROW + ROW, 3, "stands in line 2"),
        (HEAD + ROW.replace("blackpool", "atlantis"), 2, "no area is called"),
        (HEAD + ROW.replace("pets", "cooking"), 2, "no topic is called"),
        (HEAD + ROW.replace("2027-05-01", "May"), 2, "a date such as"),
        (HEAD + ROW.replace("example-one", "Example One"), 2, "lower-case"),
        (HEAD + '"a\nb",,,,,,,\n' + ROW.replace("Helps.", "<i>&lt;b&gt;x"), 2, "also wrong: line 4"),
        (HEAD + ROW.replace("Helps.", "A refuge at FY1 1AA."), 2, "addresses of refuges"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with refused(reason, line):
        taken(text.encode(), given=SILENT, file="feed.csv")


@pytest.mark.parametrize("column", ["owner", "review_by", "area", "categories"])
def test_a_row_without_owner_review_date_area_or_topic_is_refused(column: str) -> None:
    cells = dict(zip(HEAD.strip().split(","), ROW.strip().split(","), strict=True)) | {column: ""}
    with refused("fill it in", 2):
        taken((HEAD + ",".join(cells.values()) + "\n").encode(), given=SILENT, file="feed.csv")


def test_more_rows_than_any_directory_has_are_refused() -> None:
    with refused("more than 2000 rows"):
        rows_of("a\n" + "x\n" * 2_001, "feed.csv", ())


# --- links


def ask_never(address: str, place: str) -> Answer:
    raise AssertionError("a bad link was asked for")


@pytest.mark.parametrize(
    "place",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
     "::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "nonsense"],
)  # fmt: skip
def test_a_name_that_leads_into_a_private_network_is_a_bad_link(place: str) -> None:
    assert "private network" in bad_link("https://example.org/", lambda _host: [place], ask_never)
    assert "private network" in bad_link("https://example.org/", lambda _host: ["93.184.216.34", place], ask_never)


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "http://example.org", "https://169.254.169.254/", "https://[::1]/", "https://localhost/",
     "https://example.org:8443/", "https://a@example.org/", "javascript:alert(1)", "https://[", ""],
)  # fmt: skip
def test_an_address_that_is_bad_to_read_is_never_resolved(address: str) -> None:
    def resolve(host: str) -> list[str]:
        raise AssertionError(host)

    assert bad_link(address, resolve, ask_never)


def test_what_is_asked_is_the_address_that_was_looked_at_once() -> None:
    answers, asked = [["93.184.216.34"], ["127.0.0.1"]], []

    def ask(address: str, place: str) -> Answer:
        asked.append((address, place))
        return Answer(200)

    assert bad_link("https://example.org/x", lambda _host: answers.pop(0), ask) == ""
    assert asked == [("https://example.org/x", "93.184.216.34")]
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("location", "fault"),
    [
        ("https://127.0.0.1/", "bare network address"), ("http://example.org/", "not a plain https"),
        ("https://other.example.com/", "another host"), ("//localhost/", "not a public address"),
        ("file:///etc", "not a plain https"), ("https://[", "no web address"),
        ("/elsewhere", ""), ("https://www.example.org/", ""),
    ],
)  # fmt: skip
def test_a_redirect_is_not_followed_and_only_good_within_its_host(location: str, fault: str) -> None:
    found = bad_link("https://example.org/", lambda _host: ["93.184.216.34"], lambda *_: Answer(301, location))
    assert fault in found
    assert bool(found) is bool(fault)


def test_a_page_that_is_gone_or_silent_is_a_bad_link() -> None:
    def silent(address: str, place: str) -> Answer:
        raise NoAnswer("timeout")

    def unknown(host: str) -> list[str]:
        raise NoAnswer("its name is not known")

    somewhere = lambda _host: ["93.184.216.34"]  # noqa: E731
    assert "answers 404" in bad_link("https://example.org/", somewhere, lambda *_: Answer(404))
    assert "timeout" in bad_link("https://example.org/", somewhere, silent)
    assert "not known" in bad_link("https://example.org/", unknown, ask_never)
    assert "no network address" in bad_link("https://example.org/", lambda _host: [], ask_never)

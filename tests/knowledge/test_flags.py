"""Red flags: raised by rules that can be read, silent for denials, generalities, other people and figures of speech."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import pytest

from knowledge import flag_rules
from knowledge.flag_rules import BadRule, load
from knowledge.flags import Flag, Flags, Tier
from knowledge.phrase import BadPhrase, compile_phrase

FLAGS = Flags.load()
DEV = Path(__file__).parent / "flags-dev.tsv"


def raised(text: str) -> set[str]:
    return {found.flag.value for found in FLAGS.find(text) if found.tier is Tier.RAISED}


def rows() -> list[dict[str, str]]:
    with DEV.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def split(cell: str | None) -> set[str]:
    return {one for one in (cell or "").split(",") if one}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["text"][:40])
def test_messages_of_our_own_raise_what_they_say_and_nothing_they_deny(row: dict[str, str]) -> None:
    got = raised(row["text"])
    assert split(row["flags"]) <= got
    assert not got & split(row["not_flags"])
    if not row["flags"]:
        assert not got


@pytest.mark.parametrize(
    ("said", "flag"),
    [
        ("he strangeld her", "strangulation"),
        ("she is preggo", "pregnancy"),
        ("had a knfe", "weapon"),
        ("he is suicdal", "suicide-risk"),
        ("UNCONCIOUS on the floor", "medical-emergency"),
        ("he\u2019s got a gun", "weapon"),
    ],
)
def test_misspellings_and_capitals_are_read(said: str, flag: str) -> None:
    assert flag in raised(said)


def test_a_denial_reaches_a_list_but_not_past_but() -> None:
    assert raised("no weapons, strangulation or threats to kill") == set()
    assert raised("no weapons but he strangled her") == {"strangulation"}
    assert "strangulation" in raised("not only choked her, he laughed")
    assert "strangulation" in raised("not for the first time he strangled her")
    assert "strangulation" in raised("no marks hands round her neck")
    assert raised("weapons none") == set()
    assert raised("hasnt said hed hurt himself") == set()
    assert raised("no he said hell kill her") == {"threat-to-kill"}


def test_a_question_answered_by_no_does_not_raise() -> None:
    assert raised("firearms? no, never held one") == set()
    assert raised("is she pregnant? nope") == set()
    assert raised("looked for a head injury, none, she is fine") == set()
    assert raised("he said hell kill her. no weapon seen") == {"threat-to-kill"}
    assert raised("is she pregnant? yes 20 weeks") == {"pregnancy"}


def test_a_denial_inside_what_is_said_counts_unless_the_phrase_itself_has_it() -> None:
    assert raised("hands never near her neck") == set()
    assert "medical-emergency" in raised("she cannot be woken")


def test_a_threat_can_begin_with_if_and_a_supposition_does_not_raise() -> None:
    assert raised("if he cant have her no one will") == {"threat-to-kill"}
    assert raised("what happens if he had a knife") == set()


def test_two_things_raise_together_wherever_they_stand_and_not_when_one_is_denied() -> None:
    said = "shes 22 weeks, he shoved her into the cooker and the midwife says there is {} bleeding"
    assert "medical-emergency" in raised(said.format("some"))
    assert "medical-emergency" not in raised(said.format("no"))
    assert "medical-emergency" not in raised("there is some bleeding under the nail of his thumb")


def test_a_name_alone_does_not_raise_in_talk_of_forms_and_courses() -> None:
    assert "stalking" in raised("ip reports stalking by her ex since may")
    assert raised("is there an e learning module that covers stalking") == set()
    assert "stalking" in raised("doing the stalking form, he has followed her home every night this week")


def test_what_is_said_of_this_suspect_counts_beside_talk_of_an_earlier_partner() -> None:
    assert raised("strangled by her last boyfriend in 2009") == set()
    assert "strangulation" in raised("strangled by her last boyfriend in 2009 and by him tonight")


def test_the_kinds_of_words_of_a_message_are_those_of_the_tables_lists() -> None:
    assert load().kinds("she saw a machete, kids asleep", ("neck", "weapon", "child")) == ["@weapon", "@child"]


def test_a_gap_does_not_cross_the_end_of_a_sentence() -> None:
    assert "strangulation" not in raised("he took her hand. the neck of the bottle broke")


def test_what_raised_it_can_be_read() -> None:
    (found,) = FLAGS.find("he throttled her")
    assert found.flag is Flag.STRANGULATION
    assert "throttl*" in found.why
    assert "throttled" in found.why


@pytest.mark.parametrize("flag", list(Flag))
def test_every_flag_has_fixed_words_a_question_and_sources(flag: Flag) -> None:
    block = FLAGS.block(flag)
    assert 10 <= len(block.text.split()) <= 70
    assert block.question.endswith("?")
    assert block.title
    assert load().flags[flag.value].sources


def test_a_message_takes_about_a_millisecond() -> None:
    texts = [row["text"] for row in rows()] * 3
    FLAGS.find(texts[0])
    began = time.perf_counter()
    for text in texts:
        FLAGS.find(text)
    assert (time.perf_counter() - began) / len(texts) < 0.01


@pytest.mark.parametrize(
    ("phrase", "reason"),
    [
        ("(a|b", "not closed"),
        ("a)", "bracket too many"),
        ("@nobody x", "no list is called"),
        ("<3> x", "begins with a word"),
    ],
)
def test_a_phrase_that_cannot_be_read_is_refused(phrase: str, reason: str) -> None:
    with pytest.raises(BadPhrase, match=reason):
        compile_phrase(phrase, {"hand": ["hand"]})


def test_a_wrong_table_is_refused_with_its_flag(tmp_path: Path) -> None:
    table = flag_rules.TABLE.read_text()
    broken = tmp_path / "flags.toml"
    broken.write_text(table.replace('"pregnanc*",', '"pregnanc* (",', 1))
    with pytest.raises(BadRule, match="pregnancy: a bracket is not closed"):
        load(broken)
    broken.write_text(table.replace('title = "Weapon"\n', "", 1))
    with pytest.raises(BadRule, match="weapon: title is missing"):
        load(broken)
    broken.write_text("[lists\n")
    with pytest.raises(BadRule, match=r"flags\.toml"):
        load(broken)

"""Who reviews what, that nobody reviews their own, that two at once do not overwrite, and that erasure covers it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from access.tables import Role
from conversations import consult, restrict, review, review_shown, search, store, to_review
from conversations.case import Case
from conversations.errors import (
    CommentTooLong,
    HadAPart,
    LineError,
    NoSuchGrade,
    NotAllMarked,
    NotToReview,
    NotYours,
    ReviewChanged,
    RoleMissing,
    StillLive,
)
from conversations.restrict import Suspect
from conversations.review import Marked
from conversations.sampling import Reason, Sampling
from conversations.tables import Consultation
from conversations.tables_review import Mark, Review, ReviewQuestion, Standard
from conversations.transfer import accept_transfer, offer_transfer
from conversations.work import scope_of
from tests.erasing import RELAY, TWO_SUPERVISORS, ended, erases, leaves_of
from tests.house import House
from tests.test_console import Pages
from tests.test_glass import acts

ALL_WELL = Marked(dict.fromkeys(Standard, Mark.YES), "CANARY-COMMENT", "CANARY-LEARNING")


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house(team=TWO_SUPERVISORS, doors=RELAY)


@pytest.fixture(autouse=True)
def nobody_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(to_review, "SAMPLING", Sampling(drawn=0, twice=0))


def urgent(house: House) -> str:
    """One that is to be reviewed, and nobody ever had."""
    ref = ended(house)
    with house.work() as work:
        store.by_ref(work.session, ref).urgent = True
    return ref


def answered(house: House) -> str:
    """An urgent one that jane had, and that has ended."""
    house.on_duty("jane")
    ref = house.asks()
    consultation = house.row(ref).id
    house.do(lambda work: search.accept(Case.load(work, consultation), house.id("jane")))
    house.do(lambda work: consult.withdraw(Case.load(work, consultation), house.id("officer1")))
    with house.work() as work:
        store.by_ref(work.session, ref).urgent = True
    return ref


def begun(house: House, ref: str, by: str = "sam") -> Review:
    return house.do(lambda work: review.begin(work, ref, house.id(by)))


def marked(house: House, one: Review, by: str = "sam") -> Review:
    return house.do(lambda work: review.mark(work, one.id, house.id(by), one.version, ALL_WELL))


def signed(house: House, one: Review, by: str = "sam") -> None:
    house.do(lambda work: review.sign_off(work, one.id, house.id(by), one.version))


def at_once(*acts: Callable[[], Any]) -> list[object]:
    """Do all of these at the same moment; what each gave, or the error it met."""
    ready = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> object:
        ready.wait()
        try:
            return act()
        except LineError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_a_review_from_beginning_to_signing_off_is_in_the_trail_without_a_word(house: House) -> None:
    ref = answered(house)
    one = begun(house, ref)
    asked = house.do(lambda work: review.ask(work, one.id, house.id("sam"), one.version, "CANARY-QUESTION"))
    house.do(lambda work: review.answer(work, asked.id, house.id("jane"), "CANARY-ANSWER"))
    with house.work() as work:
        one = work.session.get_one(Review, one.id)
    signed(house, marked(house, one))
    leaves = [leaf for leaf in leaves_of(house) if leaf["event"].startswith("review.")]
    assert [leaf["event"] for leaf in leaves] == [
        "review.seed_fixed", "review.begun", "review.asked", "review.answered", "review.marked", "review.signed_off",
    ]  # fmt: skip
    assert "CANARY" not in str(leaves)
    assert house.state(ref) == "withdrawn"


def test_only_what_ended_and_the_rule_names_is_reviewed(house: House) -> None:
    live, plain, grave = house.asks("officer2"), ended(house), urgent(house)
    for ref in (live, plain):
        with pytest.raises(NotToReview):
            begun(house, ref)
    month = f"{house.clock():%Y-%m}"
    listed = house.do(lambda work: to_review.of_month(work, house.id("sam"), month))
    assert [(one.row.ref, one.why, one.people) for one in listed] == [(grave, frozenset({Reason.URGENT}), 1)]
    assert house.do(lambda work: to_review.of_month(work, house.id("sam"), "2020-12")) == []


def test_a_grade_given_later_that_differs_puts_it_in_and_the_same_does_not(house: House) -> None:
    same, other, live = ended(house), ended(house), house.asks("officer2")
    with house.work() as work:
        store.by_ref(work.session, same).grade = store.by_ref(work.session, other).grade = "medium"
    for ref, grade in ((same, "medium"), (other, "standard"), (other, "high")):
        with house.work() as work:
            review.grade_later(work, ref, house.id("sam"), grade)
    with pytest.raises(StillLive):
        house.do(lambda work: review.grade_later(work, live, house.id("sam"), "high"))
    assert begun(house, other).place == 1
    with pytest.raises(NotToReview):
        begun(house, same)


def test_nobody_reviews_what_they_had_a_part_in(make_house: Callable[..., House]) -> None:
    both = frozenset({Role.IDVA, Role.SUPERVISOR})
    house = make_house(team=TWO_SUPERVISORS | {"jane": replace(TWO_SUPERVISORS["jane"], roles=both)})
    ref = answered(house)
    with pytest.raises(HadAPart):
        begun(house, ref, "jane")
    assert begun(house, ref, "sam").place == 1


def test_nobody_but_a_supervisor_reviews_and_nobody_touches_the_review_of_another(house: House) -> None:
    ref = answered(house)
    for name in ("officer1", "officer2", "jane"):
        with pytest.raises(RoleMissing):
            begun(house, ref, name)
    one = begun(house, ref)
    asked = house.do(lambda work: review.ask(work, one.id, house.id("sam"), one.version, "Why?"))
    for act in (
        lambda work: review.mark(work, one.id, house.id("ruth"), 2, ALL_WELL),
        lambda work: review.sign_off(work, one.id, house.id("ruth"), 2),
        lambda work: review.ask(work, one.id, house.id("ruth"), 2, "Why?"),
        lambda work: review.answer(work, asked.id, house.id("sam"), "Because."),
    ):
        with pytest.raises(NotYours):
            house.do(act)


def test_a_review_is_signed_off_only_with_every_standard_marked_and_then_changes_no_more(house: House) -> None:
    one = begun(house, urgent(house))
    with pytest.raises(NotAllMarked):
        signed(house, one)
    one = marked(house, one)
    signed(house, one)
    with pytest.raises(ReviewChanged):
        house.do(lambda work: review.mark(work, one.id, house.id("sam"), one.version + 1, ALL_WELL))


def test_the_second_reviewer_is_another_and_sees_the_first_only_once_both_have_signed_off(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_review, "SAMPLING", Sampling(drawn=0, twice=100))
    ref = urgent(house)
    first = marked(house, begun(house, ref))
    assert begun(house, ref).id == first.id
    signed(house, first)
    second = begun(house, ref, "ruth")
    assert (first.place, second.place) == (1, 2)

    def seen(one: Review) -> list[str]:
        with house.work() as work:
            return [other.id for other in review.others_of(work, work.session.get_one(Review, one.id))]

    assert (seen(first), seen(second)) == ([], [])
    signed(house, marked(house, second, "ruth"), "ruth")
    assert (seen(first), seen(second)) == ([second.id], [first.id])


def test_too_long_a_comment_is_refused_and_not_cut(house: House) -> None:
    """A new line counts once, however a form sends it; what is too long is said, and nothing is saved."""
    one = begun(house, urgent(house))
    longest = "x\r\n" * (review.LONGEST // 2 - 1) + "xx"
    for comment, learning in ((f"{longest}x", ""), ("", f"{longest}x")):
        with pytest.raises(CommentTooLong, match=f"at most {review.LONGEST:,} characters"), house.work() as work:
            review.mark(work, one.id, house.id("sam"), one.version, Marked({}, comment, learning))
    with house.work() as work:
        kept = review.mark(work, one.id, house.id("sam"), one.version, Marked({}, longest, ""))
        assert kept.comment is not None
        opened = work.open_words("review", "comment", kept.id, scope_of(kept.consultation_id), kept.comment)
    assert opened == longest.replace("\r\n", "\n")
    assert len(opened) == review.LONGEST


def test_a_grade_that_there_is_not_is_named(house: House) -> None:
    ref = ended(house)
    with pytest.raises(NoSuchGrade, match="high, medium or standard"), house.work() as work:
        review.grade_later(work, ref, house.id("sam"), "severe")


def test_a_form_made_from_an_older_version_saves_nothing(house: House) -> None:
    """Two windows of one reviewer: what the second would overwrite stays, and it is told."""
    stale = begun(house, urgent(house))
    kept = marked(house, stale)
    with pytest.raises(ReviewChanged):
        house.do(lambda work: review.mark(work, stale.id, house.id("sam"), stale.version, Marked({})))
    with house.line.database.reading() as session:
        assert session.get_one(Review, kept.id).safe == Mark.YES.value


def test_of_two_who_sign_off_at_once_one_wins_and_the_other_is_told(house: House) -> None:
    one = marked(house, begun(house, urgent(house)))
    met = at_once(lambda: signed(house, one), lambda: signed(house, one))
    assert sorted(type(each).__name__ for each in met) == ["NoneType", "ReviewChanged"]


def test_of_two_supervisors_who_begin_at_once_one_wins_and_the_other_is_told(house: House) -> None:
    ref = urgent(house)
    met = at_once(lambda: begun(house, ref, "sam"), lambda: begun(house, ref, "ruth"))
    assert sorted(type(each).__name__ for each in met) == ["Review", "ReviewedAlready"]


def test_a_review_while_it_is_erased_either_is_erased_with_it_or_finds_nothing(house: House) -> None:
    one = begun(house, urgent(house))
    with house.work() as work:
        ref = work.session.get_one(Consultation, one.consultation_id).ref
    house.clock.forward(days=3)
    mark = lambda: house.do(lambda work: review.mark(work, one.id, house.id("sam"), 1, ALL_WELL))  # noqa: E731
    met = at_once(lambda: erases(house, ref, "ruth"), mark)
    assert type(met[0]).__name__ == "Erased"
    assert type(met[1]).__name__ in {"Review", "NotYours"}
    with pytest.raises(NotYours):
        signed(house, one)
    with house.line.database.reading() as session:
        assert all(session.scalar(select(table)) is None for table in (Review, ReviewQuestion))


def test_erasing_takes_reviews_questions_and_later_grades_along(house: House) -> None:
    ref = answered(house)
    one = begun(house, ref)
    house.do(lambda work: review.ask(work, one.id, house.id("sam"), one.version, "CANARY-QUESTION"))
    house.do(lambda work: review.grade_later(work, ref, house.id("sam"), "high"))
    house.clock.forward(days=3)
    erases(house, ref, "ruth")
    with house.line.database.reading() as session:
        assert all(session.scalar(select(table)) is None for table in (Review, ReviewQuestion))


@pytest.fixture
def pages(house: House, tmp_path: Path) -> Iterator[Pages]:
    made = Pages(house, tmp_path)
    yield made
    made.client.close()


FORM = {one.value: "yes" for one in Standard} | {"comment": "CANARY-COMMENT", "learning": "CANARY-LEARNING"}


def test_on_the_pages_from_the_list_to_signing_off(pages: Pages) -> None:
    house = pages.house
    ref = answered(house)
    pages.sign_in("sam", Role.SUPERVISOR)
    assert "It was urgent." in pages.client.get("/review/supervisor").text
    assert pages.client.get(f"/review/supervisor/{ref}").status_code == 409
    assert pages.client.post(f"/review/supervisor/{ref}/begin").headers["location"] == f"/review/supervisor/{ref}"
    page = pages.client.get(f"/review/supervisor/{ref}").text
    assert "Is this coercive control?" in page
    assert "not yet covered by a checkpoint" in page
    read = [leaf for leaf in leaves_of(house) if leaf["event"] == "words.read"][-1]
    assert (read["actor"], read["facts"]["purpose"]) == (house.id("sam"), "review")
    form = FORM | {"version": "1", "act": "ask", "question": "CANARY-QUESTION"}
    assert pages.client.post(f"/review/supervisor/{ref}", data=form).status_code == 303
    assert "meantime" in pages.client.post(f"/review/supervisor/{ref}", data=form).text
    pages.sign_in("jane", Role.IDVA)
    page = pages.client.get("/desk/reviews").text
    assert "CANARY-QUESTION" in page
    assert "CANARY-COMMENT" not in page
    [question] = re.findall(r'action="/desk/reviews/(\w+)"', page)
    assert pages.client.post(f"/desk/reviews/{question}", data={"answer": "CANARY-ANSWER"}).status_code == 303
    page = pages.client.get(f"/review/supervisor/{ref}").text
    assert "CANARY-ANSWER" in page
    [version] = re.findall(r'name="version" value="(\d+)"', page)
    form = FORM | {"version": version, "act": "sign"}
    assert pages.client.post(f"/review/supervisor/{ref}", data=form).status_code == 303
    assert "You, signed off" in pages.client.get(f"/review/supervisor/{ref}").text


def test_a_later_grade_is_given_on_a_page(pages: Pages) -> None:
    ref = ended(pages.house)
    pages.sign_in("sam", Role.SUPERVISOR)
    answer = pages.client.post("/review/supervisor/grade", data={"ref": ref.lower(), "grade": "high"})
    assert f"Saved for {ref}" in answer.text
    assert pages.house.row(ref).later_grade == "high"
    assert "graded later" in pages.client.get("/review/supervisor").text


def test_where_two_differ_both_stand_side_by_side_and_agreement_is_counted(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_review, "SAMPLING", Sampling(drawn=0, twice=100))
    ref = urgent(pages.house)
    for name, kind in (("sam", "yes"), ("ruth", "no")):
        pages.sign_in(name, Role.SUPERVISOR)
        pages.client.post(f"/review/supervisor/{ref}/begin")
        form = FORM | {"kind": kind, "comment": f"by {name}", "version": "1", "act": "sign"}
        assert "by sam" not in pages.client.get(f"/review/supervisor/{ref}").text
        assert pages.client.post(f"/review/supervisor/{ref}", data=form).status_code == 303
    page = pages.client.get(f"/review/supervisor/{ref}").text
    assert "by sam" in page
    assert page.count("(you differ)") == 2
    listed = pages.client.get("/review/supervisor").text
    assert "Kind: 0 of 1 the same" in listed
    assert "Safe: 1 of 1 the same" in listed


def test_a_restricted_consultation_is_on_nobodys_list_but_that_of_those_named(house: House) -> None:
    ref = urgent(house)
    consultation = house.row(ref)
    act = lambda work: restrict.restrict(Case.load(work, consultation.id), consultation.officer_id, Suspect.POLICE)  # noqa: E731
    house.do(act)
    month = f"{house.clock():%Y-%m}"
    assert house.do(lambda work: to_review.of_month(work, house.id("sam"), month)) == []
    with pytest.raises(NotYours):
        begun(house, ref)
    with pytest.raises(NotYours):
        house.do(lambda work: review.grade_later(work, ref, house.id("sam"), "high"))


def test_whoever_had_it_before_or_took_it_as_lead_had_a_part_and_an_idva_lead_reviews(
    make_house: Callable[..., House],
) -> None:
    both = frozenset({Role.IDVA, Role.SUPERVISOR, Role.IDVA_LEAD})
    names = ("jane", "amira")
    team = {name: replace(TWO_SUPERVISORS[name], roles=both) for name in names}
    lead = replace(TWO_SUPERVISORS["ruth"], roles=frozenset({Role.IDVA_LEAD}))
    house = make_house(team=TWO_SUPERVISORS | team | {"ruth": lead})
    house.on_duty(*names)
    ref = house.asks()
    acts(house, ref, lambda case: search.accept(case, house.id("jane")))
    acts(house, ref, lambda case: offer_transfer(case, house.id("jane"), house.id("amira"), "AMONG IDVAS"))
    acts(house, ref, lambda case: accept_transfer(case, house.id("amira")))
    acts(house, ref, lambda case: consult.withdraw(case, house.id("officer1")))
    with house.work() as work:
        row = store.by_ref(work.session, ref)
        row.urgent, row.last_idva_id = True, None  # what the row forgets, the offers and the trail keep
    for name in names:
        with pytest.raises(HadAPart):
            begun(house, ref, name)
    begun(house, ref, "ruth")
    shown = house.do(lambda work: review_shown.look(work, ref, house.id("ruth")))
    assert "AMONG IDVAS" not in "".join(one.words for one in shown.thread.messages)


def test_a_lead_who_dealt_with_it_does_not_review_it(house: House) -> None:
    ref = house.asks()
    house.wait(minutes=6)
    acts(house, ref, lambda case: search.lead_took(case, house.id("sam")))
    with house.work() as work:
        store.by_ref(work.session, ref).urgent = True
    assert house.state(ref) == "fallback"
    with pytest.raises(HadAPart):
        begun(house, ref, "sam")
    assert begun(house, ref, "ruth").place == 1

"""Every sentence the line can say, by name. Pure, and translatable: another language is another table.

Rules kept here:
- Short, plain, calm; the reference first, and before it only the emergency words; never a grade, never advice.
- `DOORBELL` sentences are all that Telegram carries in doorbell mode: references, a link, public numbers.
- `PLACEHOLDER` is what a lock screen may show: nothing about abuse, police or health.
"""

from __future__ import annotations

PLACEHOLDER = "Message {ref}"
REPEATED = " (sent again)"  # on a placeholder whose first sending may or may not have arrived
PLACEHOLDER_PLAIN = "Message"

ENGLISH: dict[str, str] = {
    # -- to the officer: what became of the question
    "received": "{emergency}\nReceived safely. Reference {ref}.\n{next}",
    "still_looking": "{ref}: {next}",
    "next_asked": "An IDVA on duty is being asked now.",
    "next_asked_all": "All IDVAs on duty are being asked at once.",
    "next_asked_another": "No answer yet, so another IDVA is being asked.",
    "next_came_free": "An IDVA is free now and is being asked.",
    "next_full": "Every IDVA on duty is with somebody. You are number {position} in the queue. "
    "{Lead_name} has been called; you can ring {lead_phone}.",
    "next_lead": "No IDVA has answered yet. {Lead_name} has been called; you can ring {lead_phone}.",
    "next_kept": "No IDVA can answer now{next_shift}. Ring {lead_name} on {lead_phone}, or: {fallbacks}. "
    "Your question is kept: you are owed an answer, and the next IDVA on duty gets it first.",
    "next_doubt": "You wrote this at {written}; it has only reached us now. Do you still need help? "
    "Nobody is called until you say so, or write again.",
    "queue_moved": "{ref}: you are number {position} in the queue.",
    "accepted": "{ref}: {idva}, IDVA ({service}), has your question and will answer here.",
    "lead_has_it": "{ref}: {lead} is dealing with this in person and will contact you. "
    "You can ring {lead_phone}. This chat is closed; you can ask more within 14 days.",
    "owner_lost": "{ref}: {idva} cannot go on with this. Another IDVA is being found.",
    "transfer_asked": "{ref}: {idva} is asking a colleague to take over, and has it until then.",
    "transfer_done": "{ref}: {idva}, IDVA ({service}), has taken over and can read everything so far.",
    "transfer_back": "{ref}: {idva} goes on with this.",
    "advice_read_back": "Please confirm that you have understood this advice.",
    "advice_chase": "{ref}: please read the advice from {idva} and confirm it.",
    "advice_raised": "{ref}: the advice from {idva} is not confirmed yet, so {lead_name} has been told. "
    "You can still confirm it, or ring {lead_phone}.",
    "understood": "{ref}: thank you. You confirmed the advice. For your notebook: {receipt}. "
    "You can ask more within 14 days.",
    "ask_on": "{ref}: write your question; {idva} is told.",
    "quiet": "{ref}: closed, because we heard no more from you. What was said so far stands above. "
    "You can ask more within 14 days, or ring {lead_phone}.",
    "lapse_stale": "{ref}: we did not hear whether you still need help, so nobody was called. "
    "Write again at any time, or ring {lead_name} on {lead_phone}.",
    "lapse_kept": "{ref}: no IDVA could answer. {Lead_name} now has your question: ring {lead_phone}. {emergency}",
    "lapse_raised": "{ref}: the advice above was not confirmed. {Lead_name} has it now: ring {lead_phone}.",
    "withdrawn": "{ref}: withdrawn. You can ask more within 14 days.",
    "nudge_officer": "{ref}: {idva} has answered and is waiting for you. Still with it?",
    "still_here": "{ref}: thank you. {idva} stays with you.",
    "detail_set": "{ref}: noted. {detail}",
    "log_how": "{ref}: send the incident log number as: /log 0123",
    "log_which": "You have several open. Set the log number on the page of the one it belongs to.",
    "log_none": "You have nothing open.",
    "withdraw_which": "Which one is no longer needed?",
    "not_delivered": "{ref}: your message {number} could not be delivered to {other}. {Lead_name} has been called; "
    "you can ring {lead_phone}.",
    "cannot_reach": "{ref}: {other} cannot be reached by message any more. {Lead_name} has been called; "
    "you can ring {lead_phone}.",
    "outage": "{ref}: the line was out of order from {since} to now. Your consultation is still open. "
    "If it cannot wait, ring {lead_name} on {lead_phone}. {emergency}",
    # -- to the officer: red flags and signposting
    "flag_block": "RED FLAG: {title}\n{block}",
    "flag_question": "{ref}, one check: {question}",
    "flag_not_so": "{ref}: noted that it is not so: {title}. The IDVA sees both.",
    "entries": "{ref}, while an IDVA is found:\n\n{entry}",
    "entries_more": "There is more on:",
    "unclear": "{ref}: {short} can mean several things. Which do you mean?",
    "unknown_short": "{ref}: {short} is not in our list of short forms. Please write it out in your next line.",
    "means": "By {short} I mean: {meaning}",
    # -- to the IDVA
    "flag_raised": "{ref}: RED FLAG: {flags}. The officer has been shown what must happen now.",
    "officer_not_so": "{ref}: the officer says that it is not so: {title}.",
    "flag_answered": "{ref}: asked \u201c{question}\u201d, the officer says: {answer}.",
    "entries_to_send": "{ref}: from the catalogue. Tap to send one to the officer.\n{entries}",
    "yours": "{ref} is yours. {officer}, {force}. Grade as the officer set it: {grade}. "
    "Victim safe now: {safe}. Incident log: {log}.\n"
    "Advise with /advise or on the page, where you can also pass it on: {link}",
    "officer_withdrew": "{ref}: the officer has withdrawn the question.",
    "officer_understood": "{ref}: the officer has confirmed the advice.",
    "officer_asks_on": "{ref}: the officer has a further question before confirming.",
    "officer_detail": "{ref}: the officer set: {detail}",
    "passed_on": "{ref} has been passed on: {why}.",
    "transfer_waiting": "{ref}: {colleague} has been asked to take it. You have it until then.",
    "transfer_refused": "{ref}: {colleague} has not taken it. You still have it.",
    "nudge_idva": "{ref}: the officer has been waiting for you. If you do not answer, it goes to a colleague.",
    "closed_quiet": "{ref}: closed, the officer did not answer.",
    "changed_after_advice": "{ref}: the officer changed message {number} after your advice.",
    "advice_overdue": "{ref}: the officer has not confirmed the advice; {lead_name} has been told.",
    "lead_took_note": "{ref}: {lead} is dealing with this in person.",
    # -- calls to somebody to act
    "call_offer": "{ref}: a question is waiting for you{urgent}. From {officer}, {force}. Answer within {seconds} s.",
    "call_transfer": "{ref}: {colleague} asks you to take over. Answer within {seconds} s.",
    "call_lead": "{ref}: no IDVA has taken this{urgent}. {officer}, {force}. You are called as duty lead.",
    "call_flag": "{ref}: RED FLAG: {flags}. From {officer}, {force}. Answer now.",
    "call_lead_flag": "{ref}: RED FLAG: {flags}. {officer}, {force}. You are called as duty lead.",
    "call_lead_unread": "{ref}: advice to {officer}, {force}, is not confirmed. You are called as duty lead.",
    "call_lead_undelivered": "{ref}: {officer}, {force}, cannot be reached by message. You are called as duty lead.",
    "call_lead_unreachable": "{ref}: {idva}, IDVA, cannot be reached by message, and {officer}, {force}, is waiting. "
    "You are called as duty lead.",
    "call_lead_taken": "{ref}: taken by {idva}. Nothing is left for you to do.",
    "call_lead_over": "{ref}: settled. Nothing is left for you to do.",
    "call_accepted": "{ref}: you have it.",
    "call_declined": "{ref}: passed on to somebody else.",
    "call_unanswered": "{ref}: passed on, because there was no answer.",
    "call_unreachable": "{ref}: passed on, because this could not be delivered.",
    "call_overtaken": "{ref}: no longer waiting for you.",
    "start_check": "Your shift has begun. Tap to show that you can be reached.",
    "start_missed": "A shift has begun, and the IDVA has not answered the test call. See the board: {link}",
    "taken_by": "{ref}: taken by {idva}.",
    "no_longer_needed": "{ref}: no longer needed.",
    # -- answers to whoever just wrote, outside any thread
    "help": "Write your question; it goes to the IDVA on duty. Commands: /new asks something new while another "
    "question is open, /log 0123 sets the incident log number, /withdraw ends a question.\n{emergency}",
    "help_idva": "Write in the topic of a consultation, or as a reply to one of its messages. /advise ends it with "
    "advice; below it, each on a line of its own: Status: … Do now: … Tell: … Services: … Would change: …\n{emergency}",
    "unknown_command": "I do not know that command. There are three: /new, /log and /withdraw. "
    "Or just write your question.",
    "stranger": "This is a private service. If this is an emergency, ring 999.",
    "access_ended": "Your access has ended. Contact your supervisor. If anybody is in danger, ring 999.",
    "code_refused": "This link does not work. Ask for a new one.",
    "enrolled": "This chat is now connected. Write here when you need the line.\n{emergency}",
    "echo": "Type this number into the page on which you got the link: {number}\n"
    "If you did not ask for it, do nothing: without the number this chat is connected to nobody.",
    "enrolled_instead": "This chat is now connected, and the one you had before no longer is. Write here when you need "
    "the line.\n{emergency}",
    "unbound": "This chat is no longer connected to Lanyard. If that was not you, tell your supervisor now. "
    "If this is an emergency, ring 999.",
    "link_made": "{by} made a sign-in link to Lanyard for you. If you did not expect that, tell your supervisor now.",
    "passkey_added": "A passkey was added to your account at Lanyard. If that was not you, tell your supervisor now.",
    "passkey_removed": "A passkey was removed from your account at Lanyard. If that was not you, tell your supervisor "
    "now.",
    "passkey_copied": "Somebody tried to sign in to Lanyard with a copy of one of your passkeys, and was refused. Tell "
    "your supervisor now, and remove that passkey from your account.",
    "receipt": "Received. {ref}",
    "receipt_delivered": "Delivered to {other}. {ref}",
    "receipt_there": "Delivered. {ref}",
    "receipt_failed": "Not delivered. {ref}: ring {lead_phone}.",
    "held_which": "Not sent yet. You have several open: which one is this for?",
    "held_other": "Not sent yet. This answers a message of {ref}. Is it for {ref}?",
    "held_reminder": "Your last line has still not been sent. Which one is it for?",
    "held_identifiers": "This looks like personal details (name, date of birth, address or number). It is sent in "
    "{seconds} s unless you use the secure page instead.",
    "held_sent": "Sent. {ref}",
    "held_dropped": "Not sent. Use the secure page: {link}",
    "held_gone": "That line was already dealt with.",
    "nothing_open": "You have nothing open. Waiting now: {waiting}.",
    "none_waiting": "nothing",
    "closed_start_new": "{ref} is closed. Write again to ask something new.",
    "edit_closed": "{ref} is closed, so the change was not taken. Write again to ask something new.",
    "edit_empty": "An empty change was not taken: the earlier wording stays.",
    "edit_unknown": "That change was not taken, because the message it changes is not with us. "
    "Please write it again as a new message.",
    "danger": "{emergency}",
    "slow_down": "Everything you wrote has arrived. Please slow down a little.",
    "trouble": "The line has a fault and your message may not have been stored. Ring {lead_name} on {lead_phone}. "
    "{emergency}",
    "help_stranger": "This is a private service. If this is an emergency, ring 999.",
    "correction": "CORRECTION. What you were shown as \u201c{title}\u201d was wrong.\n\n{correction}\n\n"
    "Please confirm that you have read this.",
    "correction_advice": "CORRECTION of the advice in {ref}.\n\n{correction}\n\n"
    "Please confirm that you have read this.",
    # -- what cannot be sent
    "unsendable_picture": "Pictures cannot be sent here, and nothing was kept. Please type. "
    "Do not send pictures of victims.",
    "unsendable_voice": "Voice and video cannot be sent here. Please type. {emergency}",
    "unsendable_document": "Files cannot be sent here, and nothing was opened or kept. Please type.",
    "unsendable_location": "Locations cannot be sent here, and nothing was kept. Please type. {emergency}",
    "unsendable_contact": "Contact cards cannot be sent here, and nothing was kept. Please type.",
    "unsendable_sticker": "Stickers and games cannot be sent here. Please type.",
    "unsendable_other": "Only typed text can be sent here. Please type.",
    "unsendable_unknown": "That kind of message cannot be sent here. Please type.",
    "unsendable_empty": "I could not read that. Please type it again.",
    # -- answers to a tap
    "tap_done": "Done.",
    "tap_acknowledged": "Thank you. Noted that you have read the correction.",
    "tap_expired": "This button has expired.",
    "tap_closed": "{ref} is closed.",
    "tap_taken": "Taken by {by}.",
    "tap_overtaken": "Not changed. It says since: {detail}. If that is wrong, write it.",
    "tap_not_now": "That cannot be done now.",
    # -- doorbell: all that Telegram may carry
    "door_received": "{emergency}\n{ref}: received. Go on here: {link}",
    "door_alone": "{emergency}\n{ref}: nobody can answer at the moment. Ring {lead_phone}.\n{link}",
    "door_flag": "{emergency}\n{ref}: act on this now: {link}",
    "door_new": "{ref}: there is something new for you.\n{link}",
    "door_correction": "A correction is waiting for you. Please read it now.\n{link}",
    "rota_uncovered": "The rota was changed: the next 24 hours have a time without an IDVA, from {begins} to {ends}.\n"
    "{link}",
    "rota_second": "A change to the rota would leave the next 24 hours uncovered. A second person has to "
    "decide.\n{link}",
    "shifts_changed": "Your coming shifts were changed. Please look at them.\n{link}",
    "swap_asked": "A colleague asks you to swap a shift. Nothing changes until you agree.\n{link}",
    "swap_answered": "Your swap was answered: {answer}.\n{link}",
    "door_glass": "Somebody opened what is not theirs, in an emergency. Please look at it.\n{link}",
    "door_call": "{ref}: you are asked to answer within {seconds} s.\n{link}",
    "door_lead": "{ref}: you are called.\n{link}",
}

LABELS: dict[str, str] = {
    "grade:high": "High",
    "grade:medium": "Medium",
    "grade:standard": "Standard",
    "grade:not_done": "Not done",
    "safe:yes": "Victim safe now",
    "safe:no": "Not safe",
    "log": "Add log number",
    "withdraw": "No longer needed",
    "still_needed": "Still needed",
    "accept": "Accept",
    "decline:busy": "Cannot now",
    "decline:conflict": "Know the people",
    "decline:other": "Not for me",
    "understood": "Understood",
    "ask_on": "I have a question",
    "reopen": "Ask more",
    "lead_took": "I deal with it",
    "still_here": "Still here",
    "send_anyway": "Send it",
    "use_page": "Use the secure page",
    "new_question": "New question",
    "transfer_accept": "Take over",
    "transfer_decline": "Cannot now",
    "not_so": "Not so",
    "show_entry": "Show",
    "send_entry": "Send",
    "here": "I can be reached",
    "acknowledge": "I have read this",
    "open": "Open",
    "mini_app": "Open here",
}

FLAG_ANSWERS = {"yes": "yes", "no": "no", "unknown": "not known"}

GRADES = {
    "high": "high",
    "medium": "medium",
    "standard": "standard",
    "not_done": "not done",
    None: "not given",
}
SAFE = {True: "yes", False: "no", None: "not said"}
DECLINE_REASONS = {"busy": "cannot now", "conflict": "knows the people", "other": "not for me"}

DOORBELL: dict[str, str] = {
    "danger": "danger",
    "received": "door_received",
    "still_looking": "door_new",
    "lapse_kept": "door_alone",
    "lapse_stale": "door_alone",
    "quiet": "door_alone",
    "lead_has_it": "door_alone",
    "outage": "door_alone",
    "not_delivered": "door_alone",
    "call_offer": "door_call",
    "call_transfer": "door_call",
    "call_lead": "door_lead",
    "call_flag": "door_new",
    "call_lead_flag": "door_lead",
    "call_lead_unread": "door_lead",
    "call_lead_undelivered": "door_lead",
    "call_lead_unreachable": "door_lead",
    "receipt_delivered": "receipt_there",
    "receipt_failed": "receipt_failed",
}
"""What a doorbell rings instead; `door_new` for the rest. Answers outside a thread hold no words and go as they are."""


def say(name: str, **values: object) -> str:
    """The sentence of this name with its values filled in. Raises KeyError for an unknown name or a missing value."""
    return ENGLISH[name].format_map(values)


def doorbell(name: str, **values: object) -> str:
    """What Telegram carries in doorbell mode instead of this sentence."""
    return say(DOORBELL.get(name, "door_new"), **values)


def label(action: str, argument: str = "") -> str:
    """What a button says."""
    if action == "flag_answer":
        return FLAG_ANSWERS[argument.partition(":")[2]].capitalize()
    return LABELS.get(f"{action}:{argument}") or LABELS.get(action) or argument

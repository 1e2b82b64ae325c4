"""One violation of each rule, to be planted in the product: the suite has to find it.

A violation breaks its rule and as little else as it can. It is planted for good: see
``plant`` for the process that then runs the tests and ends.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from tests.proof import broken_bounds, broken_core, broken_wire

CORE: Final = "tests/unit/chatcore"
LINKS: Final = "tests/unit/transports"
WHOLE: Final = "tests/conformance"


class Violation(NamedTuple):
    """How a rule is broken, and where the tests are that have to find it."""

    plant: Callable[[], None]
    tests: str


VIOLATIONS: Final[Mapping[str, Violation]] = {
    "A1": Violation(broken_core.wildcards_are_names, CORE),
    "A2": Violation(broken_core.any_password_will_do, CORE),
    "A3": Violation(broken_core.a_refused_creation_changes_the_password, CORE),
    "A4": Violation(broken_core.a_login_creates_nothing, CORE),
    "A5": Violation(broken_core.a_name_inherits_its_mail, CORE),
    "A6": Violation(broken_core.the_old_password_is_not_asked_for, CORE),
    "S1": Violation(broken_core.a_second_login_always_wins, CORE),
    "S2": Violation(broken_core.a_login_says_that_nothing_waits, CORE),
    "S3": Violation(broken_core.a_resume_begins_at_the_beginning, CORE),
    "S4": Violation(broken_core.a_logout_ends_nothing, CORE),
    "S5": Violation(
        broken_wire.who_is_silent_is_given_up_unasked,
        f"{WHOLE}/test_sessions.py",
    ),
    "S6": Violation(broken_core.tokens_are_stored_as_they_are, CORE),
    "M1": Violation(broken_core.a_receipt_comes_without_a_commit, CORE),
    "M2": Violation(broken_core.a_repeat_is_a_second_message, CORE),
    "M3": Violation(broken_core.a_batch_is_stored_backwards, CORE),
    "M4": Violation(broken_core.what_is_written_leaves_the_mailbox, CORE),
    "M5": Violation(
        broken_wire.what_was_had_is_handed_over_again,
        f"{LINKS}/client/test_inbox.py",
    ),
    "M6": Violation(broken_core.a_full_mailbox_drops_its_oldest, CORE),
    "M7": Violation(broken_core.a_deliver_finishes_at_once, CORE),
    "M8": Violation(broken_core.senders_are_told_nothing, CORE),
    "L1": Violation(broken_core.a_pattern_needs_only_a_beginning, CORE),
    "D1": Violation(broken_core.a_deletion_takes_the_account_from_its_owner, CORE),
    "D2": Violation(broken_core.waiting_mail_is_dropped_by_default, CORE),
    "D3": Violation(broken_core.what_was_sent_is_always_retracted, CORE),
    "D4": Violation(broken_core.nothing_bounces, CORE),
    "D5": Violation(broken_core.a_dry_run_is_no_dry_run, CORE),
    "D6": Violation(broken_core.no_answer_is_given_twice, CORE),
    "E1": Violation(broken_core.a_refusal_gets_another_number, CORE),
    "E2": Violation(broken_core.a_refusal_ends_the_link, CORE),
    "E3": Violation(broken_core.an_unknown_command_has_no_name, CORE),
    "B1": Violation(broken_bounds.notices_wait_without_end, CORE),
    "B2": Violation(broken_bounds.a_run_has_no_end, CORE),
    "B3": Violation(broken_bounds.everybody_is_admitted, CORE),
    "B4": Violation(broken_bounds.wrong_passwords_cost_nothing, CORE),
    "B5": Violation(broken_bounds.no_rate_is_exceeded, CORE),
    "B6": Violation(broken_bounds.one_sender_may_fill_a_mailbox, CORE),
    "B7": Violation(broken_bounds.keys_live_by_the_wall_clock, CORE),
    "B8": Violation(
        broken_bounds.files_are_made_for_everybody,
        "tests/unit/chatstores/sqlite/test_permissions.py",
    ),
    "W1": Violation(broken_wire.any_version_is_taken, f"{LINKS}/tcp"),
    "W2": Violation(
        broken_wire.a_server_greets_in_its_own_words,
        f"{WHOLE}/test_greetings.py",
    ),
    "W3": Violation(broken_wire.a_page_of_any_origin_may_connect, f"{LINKS}/websocket"),
    "W4": Violation(broken_wire.a_unary_call_names_no_session, f"{LINKS}/grpc"),
    "W5": Violation(
        broken_wire.wide_integers_are_json_numbers,
        f"{LINKS}/codec/test_spelling.py",
    ),
    "W6": Violation(
        broken_wire.a_frame_may_have_any_length, f"{LINKS}/test_framing.py"
    ),
    "W7": Violation(broken_core.a_batch_is_done_from_its_end, CORE),
    "W8": Violation(broken_core.a_window_has_no_end, CORE),
    "W9": Violation(broken_core.a_server_that_stops_lets_everybody_in, CORE),
}
"""One for each rule; a function's name says what is wrong."""

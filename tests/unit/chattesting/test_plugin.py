"""The plug-in in runs of pytest of its own: who runs the tests, and what it says."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import pytest

pytest_plugins = ["pytester"]

Run: TypeAlias = Callable[..., pytest.RunResult]

CONVERSATION: Final = """
    import asyncio
    import pytest
    {imports}

    @{fixture}
    async def bob(client):
        return await client("bob")

    @pytest.fixture
    def anyio_backend():
        return "asyncio"

    {mark}
    async def test_bob_reads_what_ada_wrote(client, bob):
        ada = await client("ada")
        await ada.send("bob", "hello")
        message = await anext(bob.messages())
        assert (message.sender, message.body) == ("ada", "hello")

    {mark}
    async def test_nobody_is_left_of_the_test_before(chat, client):
        admin = await client("admin")
        assert [it.username async for it in admin.list()] == ["admin"]
"""
RUNNERS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "pytest-asyncio, strict": (
        "asyncio_mode = strict",
        {
            "imports": "import pytest_asyncio",
            "fixture": "pytest_asyncio.fixture",
            "mark": "@pytest.mark.asyncio",
        },
    ),
    "pytest-asyncio, auto": (
        "asyncio_mode = auto",
        {"imports": "", "fixture": "pytest.fixture", "mark": ""},
    ),
    "anyio, marked": (
        "",
        {"imports": "", "fixture": "pytest.fixture", "mark": "@pytest.mark.anyio"},
    ),
    "anyio, auto": (
        "anyio_mode = auto",
        {"imports": "", "fixture": "pytest.fixture", "mark": ""},
    ),
}


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_chat_runs_under_whoever_runs_the_tests(runner: str, run_inside: Run) -> None:
    ini, parts = RUNNERS[runner]

    ended = run_inside(CONVERSATION.format(**parts), ini=ini)

    ended.assert_outcomes(passed=2)


def test_with_pytest_asyncio_a_chat_is_on_the_loop_of_its_test_whatever_that_is(
    run_inside: Run,
) -> None:
    scopes = ("function", "class", "module", "package", "session")
    tests = "\n".join(
        f"""
@pytest.mark.asyncio(loop_scope="{scope}")
async def test_on_the_loop_of_a_{scope}(client):
    assert (await client("ada")).username == "ada"
"""
        for scope in scopes
    )

    ended = run_inside(f"import pytest\n{tests}")

    ended.assert_outcomes(passed=len(scopes))


def test_the_scope_of_loops_may_stand_in_the_configuration(run_inside: Run) -> None:
    tests = """
        import asyncio

        loops = set()

        async def test_one(client):
            loops.add(asyncio.get_running_loop())
            await client("ada")

        async def test_two(client):
            loops.add(asyncio.get_running_loop())
            await client("ada")
            assert len(loops) == 1
    """
    ini = "asyncio_mode = auto\nasyncio_default_test_loop_scope = session"

    ended = run_inside(tests, ini=ini)

    ended.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("test", "says"),
    [
        (
            "def test_it(chat): ...",
            "*test_it is synchronous: make it an 'async def'*",
        ),
        (
            "async def test_it(client): ...",
            "*nobody runs test_it.*pip install pytest-asyncio*or*anyio*",
        ),
        (
            """
            import pytest
            @pytest.fixture
            def anyio_backend():
                return ("trio", {})
            @pytest.mark.anyio
            async def test_it(client): ...
            """,
            "*test_it runs on trio: give the test a fixture anyio_backend*'asyncio'*",
        ),
    ],
    ids=["synchronous", "run by nobody", "on trio"],
)
def test_a_test_that_cannot_have_a_chat_is_told_what_is_missing(
    test: str, says: str, run_inside: Run
) -> None:
    ended = run_inside(test)

    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines([says])


SETTINGS: Final = """
    import pytest
    from chatcore import Limits, Registration, SecondLogin
    from chattesting import ChatSettings

    @pytest.fixture
    def chat_settings():
        return ChatSettings(limits=Limits(mailbox_messages=7, body_bytes=5))

    async def test_a_fixture_of_ones_own(chat):
        assert chat.service.limits.mailbox_messages == 7

    @pytest.mark.chat_settings(registration=Registration.CLOSED)
    async def test_a_mark_changes_some_of_them(chat):
        assert chat.service.limits.mailbox_messages == 7
        assert chat.service.registration is Registration.CLOSED

    @pytest.mark.chat_settings(
        limits=Limits(mailbox_messages=1), registration=Registration.CLOSED
    )
    class TestMarks:
        @pytest.mark.chat_settings(limits=Limits(mailbox_messages=2))
        async def test_the_closest_mark_counts(self, chat):
            assert chat.service.limits.mailbox_messages == 2
            assert chat.service.registration is Registration.CLOSED
"""


def test_a_fixture_and_marks_say_what_the_chat_is_told(run_inside: Run) -> None:
    ended = run_inside(SETTINGS, "--strict-markers", ini="asyncio_mode = auto")

    ended.assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("mark", "says"),
    [
        ("chat_settings(limit=3)", "*mark chat_settings takes limits, *; not limit."),
        ("chat_settings(3)", "*mark chat_settings takes names: *"),
    ],
)
def test_a_mark_that_says_what_there_is_not_is_refused(
    mark: str, says: str, run_inside: Run
) -> None:
    test = f"""
        import pytest

        @pytest.mark.{mark}
        async def test_it(chat): ...
    """

    ended = run_inside(test, ini="asyncio_mode = auto")

    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines([says])


def test_parameters_of_the_settings_are_seen(run_inside: Run) -> None:
    test = """
        import pytest
        from chatcore import Limits
        from chattesting import ChatSettings

        @pytest.fixture(params=[1, 2])
        def chat_settings(request):
            return ChatSettings(limits=Limits(mailbox_messages=request.param))

        async def test_it(chat): ...
    """

    ended = run_inside(test, ini="asyncio_mode = auto")

    ended.assert_outcomes(passed=2)


def test_what_the_chat_is_told_may_go_by_its_clock(run_inside: Run) -> None:
    test = """
        import pytest
        from chatcore import Refusal
        from chattesting import ChatSettings

        class Later(Refusal):
            code = 9001

        class NotInTheFirstMinute:
            def __init__(self, clock):
                self.clock, self.began_s = clock, clock()

            async def judge(self, sender, sends):
                is_early = self.clock() < self.began_s + 60
                return [Later() if is_early else None for _ in sends]

        @pytest.fixture
        def chat_settings(chat_clock):
            return ChatSettings(policy=NotInTheFirstMinute(chat_clock.monotonic_s))

        async def test_it(chat, client):
            ada = await client("ada")
            with pytest.raises(Refusal):
                await ada.send("ada", "hello")
            await chat.advance(60)
            await ada.send("ada", "hello")
    """

    ended = run_inside(test, ini="asyncio_mode = auto")

    ended.assert_outcomes(passed=1)


def test_another_plugin_that_has_a_client_keeps_it(
    pytester: pytest.Pytester, run_inside: Run
) -> None:
    pytester.makepyfile(
        web_plugin="""
            import pytest

            @pytest.fixture(name="client")
            def web_client():
                return "of the web"
        """
    )
    pytester.syspathinsert()
    test = """
        async def test_it(client, chat):
            assert client == "of the web"
            assert (await chat.client("ada")).username == "ada"
    """

    ended = run_inside(test, "-p", "web_plugin", ini="asyncio_mode = auto")

    ended.assert_outcomes(passed=1)


def test_a_client_of_the_applications_own_is_the_one_where_it_stands(
    pytester: pytest.Pytester, run_inside: Run
) -> None:
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture
        async def client(client):
            return await client("ada")
        """
    )
    test = """
        async def test_it(client):
            assert client.username == "ada"
    """

    ended = run_inside(test, ini="asyncio_mode = auto")

    ended.assert_outcomes(passed=1)


def test_a_client_that_is_used_on_another_loop_is_refused_and_does_not_wait(
    run_inside: Run,
) -> None:
    test = """
        import pytest_asyncio

        @pytest_asyncio.fixture(loop_scope="session")
        async def ada(client):
            return await client("ada")

        async def test_it(ada): ...
    """

    ended = run_inside(test, ini="asyncio_mode = auto")

    ended.assert_outcomes(errors=1)
    ended.stdout.fnmatch_lines(["*WrongEventLoop: *loop_scope of the test*"])


def test_a_test_that_two_plugins_take_is_refused_and_does_not_wait(
    run_inside: Run,
) -> None:
    test = """
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_it(client):
            await client("ada")
    """

    ended = run_inside(test, ini="asyncio_mode = auto")

    ended.assert_outcomes(failed=1)
    ended.stdout.fnmatch_lines(["*WrongEventLoop: *pytest-asyncio or anyio*"])


def test_what_a_test_leaves_open_is_closed_at_its_end(run_inside: Run) -> None:
    test = """
        import asyncio
        from chatcore import connect

        left = []

        async def forget(chat, client):
            ada = await client("ada")
            entered = connect(chat.url)
            left.append(entered)
            bob = await entered.__aenter__()
            await bob.login("bob", "correct horse", create=True)
            await ada.send("bob", "mail that nobody reads")
            reading = asyncio.create_task(anext(ada.messages()))
            deleting = asyncio.create_task(bob.delete("bob", "correct horse"))
            left.extend([reading, deleting])
            await asyncio.sleep(0)

        async def test_that_ends_well(chat, client):
            await forget(chat, client)

        async def test_that_fails(chat, client):
            await forget(chat, client)
            assert client is None
    """

    ended = run_inside(test, ini="asyncio_mode = auto")

    ended.assert_outcomes(passed=1, failed=1)


def test_the_fixtures_explain_themselves(run_inside: Run) -> None:
    ended = run_inside("", "--fixtures")

    ended.stdout.fnmatch_lines_random(
        [
            "chat -- *",
            "chat_clock -- *",
            "chat_settings -- *",
            "client -- *",
        ]
    )
    ended.stdout.no_fnmatch_line("*_chat_on*")

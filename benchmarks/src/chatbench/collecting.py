"""All that results.json has, from a run's samples: every calculation is called here."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from chatbench.advice import all_advice
from chatbench.cells import Contestant
from chatbench.children import pinned
from chatbench.micro import codec_costs, store_costs
from chatbench.peers import peer_promise
from chatbench.plans import Plan
from chatbench.ratios import all_ratios
from chatbench.results import VERSION, Machine, Peer, Results
from chatbench.rounds import RunContext
from chatbench.samples import Sample
from chatbench.source_lines import count_source_lines
from chatbench.summaries import summarise
from chatbench.verdicts import all_verdicts


class RunRecord(Struct, frozen=True, kw_only=True):
    """How and where a run went; see ``results.Results`` for the fields."""

    command: str
    commit: str
    began_at: str
    seconds: float
    seed: int
    machine: Machine
    settings: dict[str, str]


def gather(
    plan: Plan, samples: Sequence[Sample], course: RunRecord, context: RunContext
) -> Results:
    """The results of a run whose plan gave these samples."""
    contestants = plan.contestants
    codecs, stores = _micro(plan, context)
    results = Results(
        version=VERSION,
        plan=plan.name,
        is_result=plan.is_result,
        command=course.command,
        commit=course.commit,
        began_at=course.began_at,
        seconds=round(course.seconds, 1),
        seed=course.seed,
        rounds=plan.rounds,
        machine=course.machine,
        settings=course.settings,
        contestants=contestants,
        workloads=plan.workloads,
        results=summarise(plan, samples),
        ratios=[],
        verdicts=[],
        advice=[],
        source_lines=count_source_lines(),
        codec_us_per_message=codecs,
        store_us_per_message=stores,
        peers=_promises(contestants),
        samples=list(samples),
    )
    return judge(results)


def judge(results: Results) -> Results:
    """The same run with its ratios, verdicts and advice made anew from its samples."""
    ratios = all_ratios(
        results.results,
        results.samples,
        results.contestants,
        results.workloads,
        seed=results.seed,
        peers=results.peers,
    )
    results = replace(results, ratios=ratios)
    results = replace(results, verdicts=all_verdicts(results))
    return replace(results, advice=all_advice(results))


def _micro(
    plan: Plan, context: RunContext
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """What codecs and stores cost alone, on the server's core."""
    if not plan.has_micro:
        return {}, {}
    with pinned(context.cores.server):
        return codec_costs(), store_costs(context.folder)


def _promises(contestants: Sequence[Contestant]) -> list[Peer]:
    """What others' servers promise for a message."""
    names = [it.name for it in contestants if it.server == "peer"]
    if not names:
        return []
    return [peer_promise(it) for it in names]

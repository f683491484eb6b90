"""Which kernel runs each convolution, from which encoding, how many rows at once, with how much scratch."""

from dataclasses import dataclass, replace

from squeezenet_mcu.convert.network import Network
from squeezenet_mcu.convert.schedule.arena import Plan, plan
from squeezenet_mcu.convert.select.assignment import Assignment, applied
from squeezenet_mcu.convert.select.known import Known
from squeezenet_mcu.convert.select.search import UNLIMITED, Search
from squeezenet_mcu.convert.target import Target


@dataclass(frozen=True)
class Choice:
    """`network`: a copy with kernel, encoding, batch and scratch of every convolution, and its memory `plan`.

    `fits`: its SRAM.
    """

    network: Network
    plan: Plan
    fits: bool


def _planned(known: Known, assignment: Assignment) -> Choice:
    waiting = assignment.deferred.first_layer if assignment.deferred else -1
    options = tuple((i, o.model.kernel, o.model.encoding, o.scratch) for i, o in assignment.options.items())
    key = ("planned", waiting, tuple(assignment.batches.items()), options)
    if key not in known.answers:
        made = applied(known.network, assignment)
        known.answers[key] = Choice(made, plan(made), fits=True)
    found: Choice = known.answers[key]
    return found


def _fitting(known: Known, search: Search) -> Choice | None:
    """The best choice whose plan keeps the limit.

    The search counts on the least that any plan may need; with less to spend it is tried again, as long as
    what it finds may be better than the best that has been seen to fit.
    """
    limit = budget = search.budget()
    best: tuple[Assignment, Choice] | None = None
    while answers := search.answers(budget):
        plans = []
        for answer in answers:
            if best is not None and search.rank(answer) >= search.rank(best[0]):
                break
            choice = _planned(known, answer)
            plans.append(choice.plan)
            if choice.plan.arena_bytes <= limit:
                best = answer, choice
        if not plans or plans[0].arena_bytes <= limit:
            break
        # With all that the first plan needs at least the same would be found.
        budget = min(budget - (plans[0].arena_bytes - limit), plans[0].lower_bound - 1)
    return best[1] if best else None


def choose(network: Network, target: Target) -> Choice:
    """The network as it is best run on `target`; its codes (`entropy.code`) are set in `network` too."""
    return choose_for(Known(network), target)


def choose_for(known: Known, target: Target, like: Network | None = None) -> Choice:
    """As `choose`; who asks for several targets shares what is `known` of the network.

    like: a network of the same layers, whose rows at once are taken where they fit; there is no search then.
    With too little SRAM the leanest choice is made all the same, for the linker to say what is missing.
    """
    best = _fitting(known, Search(known, target, like))
    if best is not None:
        return best
    if like is not None:
        return choose_for(known, target)
    lean = Search(known, replace(target, optimize="sram", flash_bytes=None)).answers(UNLIMITED)
    return replace(_planned(known, lean[0]), fits=False)

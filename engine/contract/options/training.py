"""Options of the run: budget, seed, device, evaluation and recording."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from engine.contract.options.declaration import OptionGroup, option

Device = Annotated[str, StringConstraints(pattern=r"^(auto|cpu|cuda(:\d+)?)$")]


class TrainingOptions(OptionGroup):
    """How long, how many at once, and from which seed."""

    steps: int = option(
        50_000,
        "Step budget",
        unit="steps",
        minimum=1,
        maximum=1_000_000_000,
        scale="log",
        applies="live",
        help="Environment steps, summed over parallel environments.",
        effect="Training finishes when the budget is used up.",
    )
    environments: int = option(
        1,
        "Parallel environments",
        symbol="E",
        minimum=1,
        maximum=256,
        help="Environments that are stepped side by side with one batched choice.",
        effect="More decorrelates the data and uses the network better.",
        advanced=True,
    )
    stepping: Literal["auto", "here", "processes"] = option(
        "auto",
        "Where environments step",
        help="One after another in the trainer's process (here), or shared out over "
        "processes, one for each processor. auto measures at the start of a run which "
        "is quicker, a vectorised form included where gymnasium has one; the Time view "
        "says what was found.",
        effect="The numbers are the same; processes pay where a step takes long.",
        advanced=True,
    )
    mode: Literal["alternate", "synchronized", "asynchronous"] = option(
        "alternate",
        "Acting and learning",
        help="In turns (alternate); side by side, with a copy of the network acting "
        "for a period whose steps are learned from in the next one (synchronized, "
        "Daley and Amato 2021); or side by side, the updates up to a period late "
        "(asynchronous), which cannot be repeated to the bit.",
        effect="Side by side can gain where one update takes long (a large network, a "
        "GPU), and loses where it is short.",
        advanced=True,
    )
    refresh: int = option(
        500,
        "Refresh period",
        symbol="C",
        unit="steps",
        minimum=1,
        maximum=1_000_000,
        scale="log",
        applies="live",
        help="Environment steps after which the network that acts is copied anew.",
        effect="Longer waits less often, and acts on older knowledge.",
        advanced=True,
        when={"training.mode": ("synchronized", "asynchronous")},
    )
    stall_limit: float = option(
        10.0,
        "Silence limit",
        unit="s",
        minimum=1.0,
        maximum=3600.0,
        scale="log",
        applies="live",
        help="When the trainer has not answered for so long, the window asks whether "
        "to wait, to stop the run, or to end the process that hangs.",
        effect="Environments with slow steps need more.",
        advanced=True,
    )
    offline: str = option(
        "",
        "Learn offline from",
        help="A session file whose recorded training episodes fill the replay; no "
        "environment is stepped, and each step of the run is one update. Empty: learn "
        "from the environment.",
        effect="Offline data never show what another action would have done.",
        advanced=True,
    )
    seed: int = option(
        0,
        "Seed",
        minimum=0,
        maximum=2**31 - 1,
        help="Every random choice of the run follows from it.",
    )
    seeds: int = option(
        1,
        "Seeds at once",
        symbol="k",
        minimum=1,
        maximum=64,
        help="So many agents learn independently of each other, from this seed and "
        "those after it, and each update is one program for all of them. What is "
        "shown, recorded and evaluated is the agent of the first seed; of the others "
        "the learning curve shows the returns. Each counts its own steps.",
        effect="More show how much of a curve is luck; 16 take a few times as long as "
        "one, not 16 times.",
        advanced=True,
    )
    device: Device = option(
        "auto",
        "Device",
        help="auto takes a GPU where the network is large enough to gain from it; for "
        "several seeds at once it takes the processor.",
        advanced=True,
    )
    precision: Literal["float32", "tf32", "bf16"] = option(
        "float32",
        "Precision of updates",
        help="How matrix products and convolutions of updates are worked out: in "
        "float32 (24 bits of each number); on a GPU in tf32, which reads the first 11 "
        "of them, an error of up to 0.05 % in each; or in bf16, 8 of them, up to "
        "0.4 %. Weights, optimizer, targets and losses are float32 in all of them, "
        "and so is acting, but with tf32.",
        effect="Less is faster for large networks on a GPU; small ones gain nothing.",
        advanced=True,
    )
    compile: Literal["auto", "never", "first"] = option(
        "auto",
        "Compiled updates",
        applies="live",
        help="auto begins at once as the update is written and goes over to a compiled "
        "form of it when that is ready, where two minutes of the run or more are left; "
        "first waits for it before the first step; never stays as written. On a GPU "
        "auto and first both capture the update before the first of them.",
        effect="Compiled, small networks learn up to twice as fast; sums in another "
        "order differ in their last digits, so only never and first repeat a run to "
        "the bit.",
        advanced=True,
    )
    threads: int = option(
        1,
        "Threads",
        minimum=1,
        maximum=64,
        help="Processor threads of the learner.",
        effect="More helps several seeds and large networks; small ones get slower.",
        advanced=True,
    )


class EvaluationOptions(OptionGroup):
    """Greedy episodes apart from training: own environment, own seeds."""

    period: int = option(
        2_000,
        "Evaluation period",
        unit="steps",
        minimum=0,
        maximum=100_000_000,
        scale="log",
        applies="live",
        help="Training steps between two evaluations; 0 never evaluates.",
        effect="Shorter finds the best checkpoint more finely and costs time.",
        advanced=True,
    )
    episodes: int = option(
        10,
        "Episodes per evaluation",
        unit="episodes",
        minimum=1,
        maximum=1000,
        applies="live",
        help="Greedy episodes whose mean return is one point of the curve.",
        effect="More episodes: a steadier point.",
        advanced=True,
    )
    seed: int = option(
        1_000_000,
        "Evaluation seed",
        minimum=0,
        maximum=2**31 - 1,
        help="First seed of the evaluation episodes; never used for training.",
        advanced=True,
    )


class RecordingOptions(OptionGroup):
    """What the session keeps."""

    level: Literal["scalars", "default", "everything"] = option(
        "default",
        "Record",
        help="scalars keeps curves, events and checkpoints; default also each "
        "training episode (seed, actions, Q-values) and evaluation frames; "
        "everything also frames of training episodes.",
        effect="More can be looked at later, and needs more disk.",
    )
    checkpoint_period: int = option(
        2_000,
        "Checkpoint period",
        unit="steps",
        minimum=1,
        maximum=100_000_000,
        scale="log",
        help="Training steps between two checkpoints that are kept.",
        effect="Shorter lets you travel in time more finely.",
        advanced=True,
    )
    checkpoints: int = option(
        50,
        "Checkpoints kept",
        minimum=3,
        maximum=10_000,
        help="Beyond this number old checkpoints are thinned, evenly spread; the "
        "best, the first and the newest always stay.",
        advanced=True,
    )
    checkpoint_budget: int = option(
        1_000,
        "Room for checkpoints",
        unit="MB",
        minimum=1,
        maximum=1_000_000,
        scale="log",
        help="Checkpoints are thinned too when together they take more; the best, the "
        "first and the newest always stay.",
        advanced=True,
    )
    exact_resume: Literal["auto", "yes", "no"] = option(
        "auto",
        "Exact resume",
        help="Keep the replay memory in the session file; auto does so below 500 MB.",
        effect="Without it a resumed run starts with an empty replay.",
        advanced=True,
    )

"""Options of the learning rule."""

from __future__ import annotations

from typing import Literal

from engine.contract.options.declaration import OptionGroup, option


class AgentOptions(OptionGroup):
    """How the value-based agent learns from a batch of transitions."""

    learning_rate: float = option(
        1e-3,
        "Learning rate",
        symbol="α",
        minimum=1e-7,
        maximum=1.0,
        scale="log",
        applies="live",
        help="How far one update moves the weights.",
        effect="Higher learns faster and less steadily; too high diverges.",
    )
    discount: float = option(
        0.99,
        "Discount",
        symbol="γ",
        minimum=0.0,
        maximum=1.0,
        applies="live",
        help="How much a reward counts that comes one step later.",
        effect="Higher looks further ahead (about 1/(1-γ) steps) and learns slower.",
    )
    estimator: Literal["q_learning", "sarsa", "expected_sarsa", "soft"] = option(
        "q_learning",
        "Estimator",
        applies="live",
        help="What the next state is worth: its best action (Q-learning), the action "
        "really taken next (SARSA), the mean over the exploring policy (Expected "
        "SARSA), or the mean of a softmax policy plus its entropy (soft).",
        effect="SARSA values its own exploration; Q-learning ignores it.",
    )
    temperature: float = option(
        0.1,
        "Soft temperature",
        symbol="τ",
        minimum=1e-4,
        maximum=100.0,
        scale="log",
        applies="live",
        help="Weight of the entropy of soft Q-learning (Haarnoja et al. 2017).",
        effect="Higher values states with several good actions more; towards 0 it is "
        "Q-learning.",
        when={"agent.estimator": ("soft",)},
    )
    double: bool = option(
        True,
        "Double Q-learning",
        applies="live",
        when={
            "agent.estimator": ("q_learning", "expected_sarsa", "soft"),
            "agent.bootstrap": ("target",),
        },
        help="The online network chooses the next action, the target network "
        "values it (van Hasselt et al. 2016).",
        effect="On: less overestimation of the values.",
    )
    dueling: Literal["none", "mean", "max"] = option(
        "none",
        "Dueling",
        help="Split the last layer into a value and advantages, centred by their "
        "mean or their maximum (Wang et al. 2016).",
        effect="Helps where many actions are equally good.",
    )
    n_step: int = option(
        1,
        "n-step return",
        symbol="n",
        unit="steps",
        minimum=1,
        maximum=50,
        help="How many real rewards enter the target before it bootstraps.",
        effect="More steps: faster credit, more variance, less off-policy safe.",
    )
    n_step_correction: Literal["none", "greedy", "retrace"] = option(
        "none",
        "n-step correction",
        applies="live",
        help="What happens to rewards after an exploratory action: they count as any "
        "other (none), the window ends before it (greedy), or they count as much as "
        "the action is likely now (Retrace, Munos et al. 2016).",
        effect="A correction removes bias from old or random actions.",
        advanced=True,
    )
    trace_decay: float = option(
        1.0,
        "Trace decay",
        symbol="λ",
        minimum=0.0,
        maximum=1.0,
        applies="live",
        help="How much each further step of Retrace counts.",
        effect="Lower trusts the values more than the rewards.",
        advanced=True,
        when={"agent.n_step_correction": ("retrace",)},
    )
    bootstrap: Literal["target", "trust_region"] = option(
        "target",
        "Bootstrap on",
        applies="live",
        help="target values the next state with the target network; trust_region "
        "with the online network, and leaves out samples whose value has moved away "
        "from the target network's and would move on (Kapturowski et al. 2023).",
        effect="The trust region spreads values faster than a slow target.",
        advanced=True,
    )
    trust_width: float = option(
        2.0,
        "Trust region",
        symbol="α",
        unit="σ",
        minimum=0.01,
        maximum=100.0,
        scale="log",
        applies="live",
        help="How far the online value may be from the target network's.",
        effect="Wider masks fewer samples.",
        advanced=True,
        when={"agent.bootstrap": ("trust_region",)},
    )
    trust_scale: Literal["td_error", "q"] = option(
        "td_error",
        "Trust region in units of",
        symbol="σ",
        applies="live",
        help="The spread of the TD errors (Kapturowski et al. 2023) or of the "
        "Q-values in the batches so far.",
        effect="Q-values spread wider, so that fewer samples are masked.",
        advanced=True,
        when={"agent.bootstrap": ("trust_region",)},
    )
    conservative: float = option(
        0.0,
        "Conservative penalty",
        minimum=0.0,
        maximum=100.0,
        applies="live",
        help="Weight of the penalty on values of actions that the data does not "
        "contain (CQL, Kumar et al. 2020); 0 has none.",
        effect="Higher keeps values of unseen actions down; meant for offline data.",
        advanced=True,
    )
    batch_size: int = option(
        64,
        "Batch size",
        symbol="B",
        unit="transitions",
        minimum=1,
        maximum=8192,
        scale="log",
        applies="live",
        help="How many transitions one update averages over.",
        effect="Larger is steadier per update and costs more time.",
    )
    updates_per_step: float = option(
        1.0,
        "Updates per step",
        minimum=0.001,
        maximum=64.0,
        scale="log",
        applies="live",
        help="Gradient steps for each environment step; 0.25 is one in four.",
        effect="More updates use each transition more often, and can overfit it.",
    )
    learning_starts: int = option(
        1000,
        "Learning starts",
        unit="steps",
        minimum=0,
        maximum=10_000_000,
        help="Environment steps with random actions before the first update.",
        effect="More steps: a broader first memory, a later start.",
        advanced=True,
    )
    loss: Literal["huber", "squared"] = option(
        "huber",
        "Loss",
        applies="live",
        help="How a TD error becomes a loss: squared, or squared up to δ and "
        "linear beyond it.",
        effect="Huber keeps a few huge errors from ruling the update.",
        when={"head.kind": ("scalar",)},
        advanced=True,
    )
    huber_delta: float = option(
        1.0,
        "Huber threshold",
        symbol="δ",
        minimum=1e-3,
        maximum=1e3,
        scale="log",
        applies="live",
        help="Where the Huber loss turns from squared to linear.",
        effect="Higher comes closer to the squared loss.",
        when={"agent.loss": ("huber",), "head.kind": ("scalar",)},
        advanced=True,
    )
    gradient_clip: float = option(
        10.0,
        "Gradient clip",
        minimum=0.0,
        maximum=1e6,
        applies="live",
        help="Longest allowed gradient (Euclidean norm); 0 never clips.",
        effect="Lower is steadier and slower.",
        advanced=True,
    )
    optimizer: Literal["adam", "rmsprop", "sgd"] = option(
        "adam",
        "Optimizer",
        help="How a gradient becomes a step: Adam, the RMSProp that DQN was published "
        "with, or plain gradient descent, for which the theory holds.",
        advanced=True,
    )
    adam_epsilon: float = option(
        1e-8,
        "Optimizer ε",
        minimum=1e-12,
        maximum=1.0,
        scale="log",
        help="Added to the denominator of Adam or RMSProp (there 0.01 is usual).",
        effect="Higher damps the steps of rarely used weights; where rewards are rare, "
        "1e-4 keeps noise from wearing out hidden units.",
        advanced=True,
        when={"agent.optimizer": ("adam", "rmsprop")},
    )
    learning_rate_final: float = option(
        1.0,
        "Final learning rate",
        unit="times α",
        minimum=0.0,
        maximum=1.0,
        applies="live",
        help="The learning rate falls linearly to this share of α at the end of "
        "the step budget; 1 keeps it constant.",
        effect="Lower settles the values at the end of training.",
        advanced=True,
    )

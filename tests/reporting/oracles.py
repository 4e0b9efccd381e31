"""What other people's programs say of a few small studies, kept in oracles.json.

    pip install statsmodels scikit-posthocs
    cd tests/reporting; python oracles.py > oracles.json

Imports nothing of convatlas: the numbers are an independent judge.
"""

import json

import numpy as np

SEEDS = {  # pictures that one network got wrong more often than the other, by seed
    "six agree": [3, 1, 4, 1, 5, 9],
    "one against": [3, 1, 4, 1, 5, -2],
    "equal sizes": [2, -2, 2, 2, -2, 2, 2],
    "with a tie": [0, 5, 3, -1, 2, 4, 4, 1],
    "thirteen": [7, -1, 3, 8, 2, 2, -5, 6, 1, 9, 4, -3, 2],
}
TABLES = [(0, 0), (0, 6), (3, 12), (15, 15), (1, 40), (130, 171)]  # only one wrong, only the other
P = [[0.01, 0.04, 0.03, 0.005], [0.5], [0.2, 0.2, 0.9], [0.001, 0.0004, 0.049, 0.6, 0.0004]]
SHARES = [(0, 360), (1, 360), (18, 360), (300, 360)]
ERRORS = [  # six data sets, four networks
    [0.021, 0.025, 0.019, 0.040],
    [0.110, 0.112, 0.105, 0.130],
    [0.300, 0.290, 0.280, 0.330],
    [0.052, 0.060, 0.052, 0.071],
    [0.008, 0.011, 0.007, 0.012],
    [0.210, 0.230, 0.190, 0.260],
]


def answers() -> dict:
    import pandas
    import scikit_posthocs
    from scipy import stats
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm
    from statsmodels.stats.contingency_tables import mcnemar
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.power import TTestPower
    from statsmodels.stats.proportion import proportion_confint

    def flips(values):
        found = stats.permutation_test(
            (np.array(values, float),), np.sum, permutation_type="samples", n_resamples=np.inf
        )
        return float(found.pvalue)

    draw = np.random.default_rng(5)
    table = (draw.random((5, 40)) < 0.4).astype(int) - (draw.random((5, 40)) < 0.3).astype(int)
    rows = [(i, j, int(table[i, j])) for i in range(5) for j in range(40)]
    frame = pandas.DataFrame(rows, columns=["seed", "picture", "value"])
    anova = anova_lm(ols("value ~ C(seed) + C(picture)", frame).fit())
    errors = np.array(ERRORS)
    names = pandas.DataFrame(errors, columns=list("abcd"))
    powers = [
        [d, n, a, float(TTestPower().power(d, n, a))]
        for d in (0.5, 1.0, 2.0)
        for n in (7, 12, 40)
        for a in (0.05, 0.05 / 45)
    ]
    return {
        "sign flips": {name: flips(values) for name, values in SEEDS.items()},
        "mcnemar": [float(mcnemar([[0, b], [c, 0]], exact=True).pvalue) for b, c in TABLES],
        "holm": [multipletests(p, method="holm")[1].tolist() for p in P],
        "wilson": [list(proportion_confint(k, n, method="wilson")) for k, n in SHARES],
        "table": table.tolist(),
        "mean squares": anova["mean_sq"].tolist(),
        "t power": [row for row in powers if row[-1] == row[-1]],  # it is NaN where it is near 1
        "friedman": list(map(float, stats.friedmanchisquare(*errors.T))),
        "nemenyi": scikit_posthocs.posthoc_nemenyi_friedman(names).to_numpy().tolist(),
        "wilcoxon": {
            f"{a}{b}": float(stats.wilcoxon(errors[:, i], errors[:, j]).pvalue)
            for i, a in enumerate("abc")
            for j, b in enumerate("abcd")
            if j > i
        },
    }


if __name__ == "__main__":
    print(json.dumps(answers(), indent=1))

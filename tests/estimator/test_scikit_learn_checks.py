"""scikit-learn's own list of checks for estimators, all of it; what does not apply is named, with
the reason.
"""

from sklearn.utils.estimator_checks import parametrize_with_checks

from convatlas import ConvClassifier

# The smallest network of the atlas; tables of 1 to 20 columns are filled up to squares.
SMALL = ConvClassifier("lenet1989", shape="fill", epochs=8, batch_size=16, lr=1e-2)
EXCLUDED: dict[str, str] = {}


@parametrize_with_checks([SMALL], expected_failed_checks=lambda _: EXCLUDED, xfail_strict=True)
def test_it_passes_the_check(estimator, check):
    check(estimator)

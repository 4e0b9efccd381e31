"""scikit-learn's own list of checks for estimators, all of it: none is excluded."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from convatlas import ConvClassifier

# The smallest network of the atlas; tables of 1 to 20 columns are filled up to squares.
SMALL = ConvClassifier("lenet1989", shape="fill", epochs=8, batch_size=16, lr=1e-2)


@parametrize_with_checks([SMALL])
def test_it_passes_the_check(estimator, check):
    check(estimator)

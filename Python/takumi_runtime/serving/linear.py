"""Predictions of linear models without scikit-learn's checks, which take twenty times as long as one row's arithmetic.

The arithmetic is scikit-learn's own, so that the results are the same to the last bit. Whatever is unusual about what a
model is given (its shape, its type, values that are not finite) is left to scikit-learn, for it to say what is wrong.
"""

import numpy as np

PLAIN = {np.dtype(name) for name in ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")}
# Those whose `predict` is the class of the highest score, or the score itself.
CLASSIFIERS = {
    "LinearSVC",
    "LogisticRegression",
    "LogisticRegressionCV",
    "PassiveAggressiveClassifier",
    "Perceptron",
    "SGDClassifier",
}
REGRESSORS = {
    "ElasticNet",
    "ElasticNetCV",
    "HuberRegressor",
    "Lasso",
    "LassoCV",
    "LinearRegression",
    "LinearSVR",
    "Ridge",
    "RidgeCV",
    "SGDRegressor",
}


def direct(model):
    """What answers `predict` of a fitted linear model, or of a pipeline that scales for one, as the model itself would.

    None for all other models.
    """
    try:
        return made_of(model)
    except AttributeError:
        # Made by hand: it lacks what fitting would have left, which scikit-learn may do without.
        return None


def made_of(model):
    *scalers, last = [step for _, step in model.steps] if own_name(model) == "Pipeline" else [model]
    kind, weights = own_name(last), getattr(last, "coef_", None)
    if kind not in CLASSIFIERS | REGRESSORS or any(own_name(scaler) != "StandardScaler" for scaler in scalers):
        return None
    # Unlike an array, a sparse matrix is multiplied in another way; a model that was not fitted has none.
    if type(weights) is not np.ndarray:
        return None
    # The very view that scikit-learn multiplies by.
    weights, intercept = weights.T, last.intercept_
    classes = last.classes_ if kind in CLASSIFIERS else None
    several = weights.ndim == 2 and weights.shape[1] > 1
    scales = [(scaler.mean_ if scaler.with_mean else None, scaler.scale_) for scaler in scalers]
    width, slowly = model.n_features_in_, model.predict

    def predict(table):
        usual = type(table) is np.ndarray and table.ndim == 2 and table.dtype in PLAIN
        if not usual or table.shape[1] != width or table.shape[0] == 0:
            return slowly(table)
        scaled = table
        for mean, scale in scales:
            scaled = scaled.astype(scaled.dtype if scaled.dtype.kind == "f" else np.float64)
            if mean is not None:
                scaled -= mean.astype(scaled.dtype)
            if scale is not None:
                scaled /= scale.astype(scaled.dtype)
        scores = scaled @ weights + intercept
        # A value that is not finite shows in every score that it is part of.
        if not np.isfinite(scores).all():
            return slowly(table)
        if classes is None:
            return scores
        return classes.take(scores.argmax(axis=1) if several else (scores.reshape(-1) > 0).astype(np.intp))

    return predict


def own_name(part):
    """The name of a class of scikit-learn's; None for others, which may mean something else by it."""
    kind = type(part)
    return kind.__name__ if kind.__module__.startswith("sklearn.") else None

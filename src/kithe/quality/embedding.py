"""Diversity and fidelity in the space of sentence embeddings. All vectors are unit length [n, d]."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kithe.quality.figures import Figure, Floats, over_draws

Vectors = NDArray[np.float32]
NEIGHBOURS = 3
SCALE = 5.0
WEIGHTS = np.linspace(1e-6, 1 - 1e-6, 25)
EXPLAINED = 0.9


def vendi(vectors: Vectors) -> float:
    """The effective number of different texts: exp of the entropy of the eigenvalues of K / n (Friedman and Dieng 2023).

    The eigenvalues of the Gram matrix [n, n] and of X'X [d, d] agree but for zeros, so the smaller one is taken.
    """
    found = vectors.astype(np.float64)
    inner = found @ found.T if len(found) <= found.shape[1] else found.T @ found
    values = np.linalg.eigvalsh(inner / len(found))
    kept = values[values > 1e-12]
    return float(np.exp(-(kept * np.log(kept)).sum()))


@dataclass(frozen=True)
class Manifold:
    """How two sets of points lie in each other's k-nearest-neighbour balls, each in [0, 1] (density may exceed 1).

    Precision and recall of Kynkäänniemi et al. 2019; density and coverage of Naeem et al. 2020.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(synthetic: Vectors, real: Vectors, k: int = NEIGHBOURS) -> Manifold:
    """The four figures of synthetic against real points; more than k points of each are needed."""
    own, other = _radii(real, k), _radii(synthetic, k)
    between = _distances(synthetic, real)
    inside = between <= own[None, :]
    return Manifold(
        precision=float(inside.any(axis=1).mean()),
        recall=float((between <= other[:, None]).any(axis=0).mean()),
        density=float(inside.sum() / (k * len(synthetic))),
        coverage=float(inside.any(axis=0).mean()),
    )


def _radii(points: Vectors, k: int) -> Floats:
    """The distance of each point to its k-th nearest other."""
    return np.partition(_distances(points, points), k, axis=1)[:, k]


def _distances(first: Vectors, second: Vectors) -> Floats:
    similar = first.astype(np.float64) @ second.astype(np.float64).T
    return np.sqrt(np.maximum(0.0, 2 - 2 * similar))


def mauve(synthetic: Vectors, real: Vectors, seed: int = 0) -> float:
    """MAUVE (Pillutla et al. 2021): the area under the divergence frontier of the two sets' cluster histograms, in (0, 1].

    As in the authors' program: PCA to 90 % of the variance, k-means with a tenth as many clusters as points of the smaller set,
    scaling 5. Theirs clusters embeddings of GPT-2; these are the encoder's, so compare only with figures made here.
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    both = np.concatenate([synthetic, real]).astype(np.float64)
    if len(np.unique(both, axis=0)) < 2:
        return 1.0
    reduced = PCA(EXPLAINED, svd_solver="full").fit_transform(both)
    clusters = min(max(2, min(len(synthetic), len(real)) // 10), len(np.unique(both, axis=0)))
    labels = KMeans(clusters, n_init=2, random_state=seed).fit_predict(reduced)
    first, second = (np.bincount(part, minlength=clusters) / len(part) for part in np.split(labels, [len(synthetic)]))
    return frontier_area(first, second)


def frontier_area(first: Floats, second: Floats) -> float:
    """The area under (exp(-5 KL(q|r)), exp(-5 KL(p|r))) for mixtures r of two histograms p and q, averaged over both axes."""
    mixtures = WEIGHTS[:, None] * first + (1 - WEIGHTS)[:, None] * second
    x = np.concatenate([[0.0], np.exp(-SCALE * _divergence(second, mixtures)), [1.0]])
    y = np.concatenate([[1.0], np.exp(-SCALE * _divergence(first, mixtures)), [0.0]])
    forward, sideways = np.argsort(x, kind="stable"), np.argsort(y, kind="stable")
    return float((np.trapezoid(y[forward], x[forward]) + np.trapezoid(x[sideways], y[sideways])) / 2)


def _divergence(histogram: Floats, mixtures: Floats) -> Floats:
    held = histogram > 0
    divergence: Floats = (histogram[held] * np.log(histogram[held] / mixtures[:, held])).sum(axis=1)
    return divergence


def of_halves(
    statistic: Callable[[Vectors, Vectors], float], first: Vectors, second: Vectors, draws: int = 8, seed: int = 0
) -> Figure:
    """A statistic of two sets over random halves of equal size, so that no figure profits from more points; n is that size."""
    size = min(len(first), len(second)) // 2

    def once(rng: np.random.Generator) -> float:
        return statistic(*(part[rng.choice(len(part), size, replace=False)] for part in (first, second)))

    return over_draws(once, size, seed, draws) if size > NEIGHBOURS else Figure(0.0, n=size)


def vendi_figure(vectors: Vectors, size: int, draws: int = 8, seed: int = 0) -> Figure:
    """The Vendi score of random subsets of `size` texts."""
    taken = min(size, len(vectors))
    if not taken:
        return Figure(0.0)
    return over_draws(lambda rng: vendi(vectors[rng.choice(len(vectors), taken, replace=False)]), taken, seed, draws)


def flat(vectors: Vectors) -> Floats:
    """The first two principal components [n, 2], for a map."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    plane: Floats = centred @ axes[:, [-1, -2]]
    return plane


def neighbourhoods(vectors: Vectors, seed: int = 0) -> Floats:
    """A plane [n, 2] on which near points stay near (t-SNE, van der Maaten and Hinton 2008, from the principal components).

    Distances between groups, and their sizes, mean nothing on it. Fewer than four points are put on the principal components.
    """
    from sklearn.manifold import TSNE

    if len(vectors) < 4:
        return flat(vectors)
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    found = TSNE(perplexity=perplexity, init="pca", random_state=seed, metric="cosine").fit_transform(vectors)
    plane: Floats = np.asarray(found, dtype=np.float64)
    return plane

"""SemDeDup as its paper's own code does it, in scikit-learn and NumPy alone; run in a process of its own.

`python bench/dedupe/semdedup.py VECTORS.npy CLUSTERS EPSILON PAIRS.npy` prints the CPU seconds of both steps as JSON.
Source: Abbas et al. (2023), arXiv:2303.09540, appendix: spherical k-means, then all cosines within each cluster.
"""

import json
import sys
import time

import numpy as np

ROUNDS = 20


def main() -> None:
    from sklearn.cluster import KMeans

    path, clusters, epsilon, stored = sys.argv[1:]
    vectors = np.load(path).astype(np.float32)
    started = time.process_time()
    if int(clusters) > 1:
        cells = KMeans(int(clusters), init="random", n_init=1, max_iter=ROUNDS, random_state=0).fit_predict(vectors)
    else:
        cells = np.zeros(len(vectors), np.int64)
    clustered = time.process_time()
    found = []
    for cell in range(int(clusters)):
        rows = np.flatnonzero(cells == cell)
        for start in range(0, len(rows), 4096):  # a cluster of 100,000 has 40 GB of cosines
            alike = vectors[rows[start : start + 4096]] @ vectors[rows].T
            i, j = np.nonzero(alike > 1 - float(epsilon))
            above = i + start < j
            found.append(np.stack([rows[i[above] + start], rows[j[above]]], axis=1))
    ended = time.process_time()
    np.save(stored, np.concatenate(found))
    print(json.dumps({"clustering": clustered - started, "comparing": ended - clustered}))


if __name__ == "__main__":
    main()

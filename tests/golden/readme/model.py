"""A class that only fits and predicts, as the README gives one to the shell; its step is right."""

import numpy as np


class LogisticRegression:
    def __init__(self, learning_rate=0.1, n_iters=20):
        self.learning_rate, self.n_iters = learning_rate, n_iters

    def fit(self, X, y):
        self.W, self.b = np.zeros(X.shape[1]), 0.0
        for _ in range(self.n_iters):
            p = 1 / (1 + np.exp(-(X @ self.W + self.b)))
            self.W -= self.learning_rate * X.T @ (p - y) / len(y)
            self.b -= self.learning_rate * np.mean(p - y)
        return self

    def predict(self, X):
        return 1 / (1 + np.exp(-(X @ self.W + self.b)))

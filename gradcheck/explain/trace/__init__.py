"""A recording of the user's own forward, from which any wrong backward can be predicted.

The forward is run once on arrays that remember how they were made. Walked backwards, the recording
gives the gradient; walked backwards with one step changed, it gives what a backward with that bug
would return, however deep in the layer the step is. Reverse accumulation: S. Linnainmaa, BIT 16
(1976); A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed. (2008), chapter 3.
"""

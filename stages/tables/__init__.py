"""Tables: one SQL file each, the paired comparisons they show, and what is said of them."""

# What `build` returns and `compare` publishes, in reading order; the other files are steps on the way.
PUBLISHED = ("cells", "seeds", "density_by_budget", "matched_budget", "matched_density", "benchmarks")

"""The product as its users run it, over HTTP, beside what else an integrator could pick: the same messages, one run."""

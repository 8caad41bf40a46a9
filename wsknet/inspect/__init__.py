"""For people: decisions in words, captures as sequence diagrams."""

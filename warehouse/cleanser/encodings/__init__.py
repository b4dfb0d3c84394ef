"""What a decision about an encoding rests on: counts of bytes, candidates, likelihood of the texts that they give."""

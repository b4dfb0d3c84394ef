"""What signals are counted from: words, lines, n-grams and kinds of characters of many texts at once."""

-- What is worth training on: repeated passages, evaluation items found in chunks, percentiles of perplexity.

CREATE TABLE corpus.passage_index (
    chunk_id UUID NOT NULL,
    rule VARCHAR NOT NULL,
    index_file VARCHAR NOT NULL
);
COMMENT ON TABLE corpus.passage_index IS 'One row a chunk whose paragraphs and lines lie as hashes in index/.';
COMMENT ON COLUMN corpus.passage_index.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.passage_index.rule IS 'Which passages count, and the version of their normalisation.';
COMMENT ON COLUMN corpus.passage_index.index_file IS 'Name of the Parquet file under index/ that holds its passages.';

CREATE TABLE corpus.repeated_passage (
    passage_id UBIGINT NOT NULL,
    chunking_id UUID NOT NULL,
    level VARCHAR NOT NULL,
    n_documents INTEGER NOT NULL,
    n_occurrences INTEGER NOT NULL,
    n_characters INTEGER NOT NULL,
    first_chunk_id UUID NOT NULL
);
COMMENT ON TABLE corpus.repeated_passage IS 'One row a paragraph or line that stands in two or more documents of a chunking.';
COMMENT ON COLUMN corpus.repeated_passage.passage_id IS '64-bit hash of the normalised text.';
COMMENT ON COLUMN corpus.repeated_passage.chunking_id IS 'The chunking in whose chunks it was counted.';
COMMENT ON COLUMN corpus.repeated_passage.level IS 'paragraph where it is a whole one anywhere, else line.';
COMMENT ON COLUMN corpus.repeated_passage.n_documents IS 'Documents of current files that hold it; exact copies of a document count as one.';
COMMENT ON COLUMN corpus.repeated_passage.n_occurrences IS 'Places where it stands.';
COMMENT ON COLUMN corpus.repeated_passage.n_characters IS 'Characters of its first copy.';
COMMENT ON COLUMN corpus.repeated_passage.first_chunk_id IS 'The chunk of its first copy: one to train on before a held-out one, then that of the smallest document_id and the earliest place in it.';

CREATE TABLE corpus.repeated_range (
    chunk_id UUID NOT NULL,
    chunking_id UUID NOT NULL,
    passage_id UBIGINT NOT NULL,
    level VARCHAR NOT NULL,
    n_documents INTEGER NOT NULL,
    paragraph_documents INTEGER NOT NULL,
    is_first BOOLEAN NOT NULL,
    char_start INTEGER NOT NULL,
    char_end INTEGER NOT NULL
);
COMMENT ON TABLE corpus.repeated_range IS 'One row a place where a repeated passage stands in a chunk''s stored text; the text itself is never changed.';
COMMENT ON COLUMN corpus.repeated_range.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.repeated_range.chunking_id IS 'Its chunking.';
COMMENT ON COLUMN corpus.repeated_range.passage_id IS 'The passage.';
COMMENT ON COLUMN corpus.repeated_range.level IS 'What it is here: a paragraph, or a line of a longer paragraph.';
COMMENT ON COLUMN corpus.repeated_range.n_documents IS 'Documents that hold the passage.';
COMMENT ON COLUMN corpus.repeated_range.paragraph_documents IS 'Documents that hold the whole paragraph around a line, which goes or stays with it; 1 where no other does, 0 for paragraphs.';
COMMENT ON COLUMN corpus.repeated_range.is_first IS 'Whether this is the first copy in its corpus, which stays where a recipe keeps one.';
COMMENT ON COLUMN corpus.repeated_range.char_start IS 'First character in the chunk''s stored text.';
COMMENT ON COLUMN corpus.repeated_range.char_end IS 'One past the last character: a line''s end is part of it, and so are the blank lines after a paragraph.';

CREATE TABLE tokens.left_out (
    shard_id UUID NOT NULL,
    chunk_id UUID NOT NULL,
    char_start INTEGER NOT NULL,
    char_end INTEGER NOT NULL
);
COMMENT ON TABLE tokens.left_out IS 'One row a repeated passage that a shard leaves out of a chunk; kept for past shards, because how often a passage is repeated changes with the corpus.';
COMMENT ON COLUMN tokens.left_out.shard_id IS 'The shard.';
COMMENT ON COLUMN tokens.left_out.chunk_id IS 'The chunk.';
COMMENT ON COLUMN tokens.left_out.char_start IS 'First character in the chunk''s stored text.';
COMMENT ON COLUMN tokens.left_out.char_end IS 'One past the last character.';

CREATE TABLE corpus.evaluation_location (
    evaluation_set VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    fields VARCHAR [] NOT NULL
);
COMMENT ON TABLE corpus.evaluation_location IS 'One row a path that was registered as a set of evaluation items (fakesmrt evaluation add).';
COMMENT ON COLUMN corpus.evaluation_location.evaluation_set IS 'Name of the set.';
COMMENT ON COLUMN corpus.evaluation_location.path IS 'Absolute path of a file, of a folder, or a glob.';
COMMENT ON COLUMN corpus.evaluation_location.fields IS 'Names of the fields that hold an item''s text; empty where they are chosen.';

CREATE TABLE corpus.evaluation_set (
    evaluation_set VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    sha256 BLOB NOT NULL,
    file_id UUID NOT NULL,
    n_items INTEGER NOT NULL,
    n_unsearched INTEGER NOT NULL
);
COMMENT ON TABLE corpus.evaluation_set IS 'One row a file of evaluation items that must not be trained on.';
COMMENT ON COLUMN corpus.evaluation_set.evaluation_set IS 'Name of the set that the file belongs to.';
COMMENT ON COLUMN corpus.evaluation_set.path IS 'Absolute path of the file.';
COMMENT ON COLUMN corpus.evaluation_set.sha256 IS 'Hash of its bytes when it was read.';
COMMENT ON COLUMN corpus.evaluation_set.file_id IS 'Hash of the set, the bytes, the fields and the version of the search.';
COMMENT ON COLUMN corpus.evaluation_set.n_items IS 'Items read from it.';
COMMENT ON COLUMN corpus.evaluation_set.n_unsearched IS 'Items of those that are too short to be searched for.';

CREATE TABLE corpus.evaluation_item (
    item_id UUID NOT NULL,
    evaluation_set VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    ordinal INTEGER NOT NULL,
    n_words INTEGER NOT NULL,
    is_searched BOOLEAN NOT NULL
);
COMMENT ON TABLE corpus.evaluation_item IS 'One row an evaluation item; its text stays in its file.';
COMMENT ON COLUMN corpus.evaluation_item.item_id IS 'Hash of its normalised words and of what of it is searched for.';
COMMENT ON COLUMN corpus.evaluation_item.evaluation_set IS 'The set.';
COMMENT ON COLUMN corpus.evaluation_item.path IS 'The file that holds it.';
COMMENT ON COLUMN corpus.evaluation_item.ordinal IS 'Its place in the file, from 0.';
COMMENT ON COLUMN corpus.evaluation_item.n_words IS 'Words of its texts.';
COMMENT ON COLUMN corpus.evaluation_item.is_searched IS 'FALSE where it is too short to be searched for.';

CREATE TABLE corpus.contamination (
    chunk_id UUID NOT NULL,
    evaluation_set VARCHAR NOT NULL,
    item_id UUID NOT NULL,
    rule VARCHAR NOT NULL,
    score REAL NOT NULL,
    n_words INTEGER NOT NULL,
    counts BOOLEAN NOT NULL,
    rule_version VARCHAR NOT NULL
);
COMMENT ON TABLE corpus.contamination IS 'One row an evaluation item that was found in a chunk.';
COMMENT ON COLUMN corpus.contamination.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.contamination.evaluation_set IS 'The set of the item; held_out where the item is a chunk of a held-out split.';
COMMENT ON COLUMN corpus.contamination.item_id IS 'The item; the held-out chunk_id where the set is held_out.';
COMMENT ON COLUMN corpus.contamination.rule IS 'ngram_overlap (a run of its words stands in the chunk) or near_duplicate (a passage of the chunk resembles it).';
COMMENT ON COLUMN corpus.contamination.score IS 'Share of the item that was found, 0 to 1.';
COMMENT ON COLUMN corpus.contamination.n_words IS 'Words of the run or passage that was looked for; 13 where the set is held_out.';
COMMENT ON COLUMN corpus.contamination.counts IS 'FALSE where a passage of fewer than 13 words is so common in the corpus that it proves nothing.';
COMMENT ON COLUMN corpus.contamination.rule_version IS 'Version of the search.';

CREATE TABLE corpus.evaluation_collection (
    collection_id UUID NOT NULL,
    file_id UUID NOT NULL
);
COMMENT ON TABLE corpus.evaluation_collection IS 'One row a file of evaluation items in a collection that chunks were searched for.';
COMMENT ON COLUMN corpus.evaluation_collection.collection_id IS 'Hash of its files.';
COMMENT ON COLUMN corpus.evaluation_collection.file_id IS 'The file, as in corpus.evaluation_set.';

CREATE TABLE corpus.contamination_search (
    chunk_id UUID NOT NULL,
    collection_id UUID NOT NULL
);
COMMENT ON TABLE corpus.contamination_search IS 'One row a chunk that was searched for evaluation items.';
COMMENT ON COLUMN corpus.contamination_search.chunk_id IS 'The chunk.';
COMMENT ON COLUMN corpus.contamination_search.collection_id IS 'All that it was searched for so far.';

CREATE TABLE corpus.held_out_search (
    chunk_id UUID NOT NULL,
    rule_version VARCHAR NOT NULL
);
COMMENT ON TABLE corpus.held_out_search IS 'One row a chunk whose n-grams were compared between the train split and the held-out ones.';
COMMENT ON COLUMN corpus.held_out_search.chunk_id IS 'The chunk, of whichever split.';
COMMENT ON COLUMN corpus.held_out_search.rule_version IS 'Version of the comparison.';

ALTER TABLE corpus.perplexity ADD COLUMN percentile_in_corpus REAL;
ALTER TABLE corpus.perplexity ADD COLUMN percentile_in_language REAL;
COMMENT ON COLUMN corpus.perplexity.percentile_in_corpus IS 'Share of the current chunks of its corpus that are more likely, 0 to 1; NULL where its file is retired or forgotten.';
COMMENT ON COLUMN corpus.perplexity.percentile_in_language IS 'The same among the current chunks of its document''s language, over all corpora.';

COMMENT ON COLUMN corpus.reference.kind IS 'ngram, micromodel or tokenizer.';
COMMENT ON TABLE corpus.reference_sample IS 'One row a chunk that a reference was trained on, and a model of it that has not seen the chunk.';
COMMENT ON COLUMN corpus.reference_sample.fold IS 'The model: of an n-gram reference that of the chunk''s fold; -1 where every model has seen the chunk.';
COMMENT ON COLUMN corpus.perplexity.fold IS 'The model that scored it: one that saw neither the chunk nor its copies, near-duplicates and cluster.';

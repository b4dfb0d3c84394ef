SELECT DISTINCT
    chunk_id::VARCHAR AS chunk_id, corpus, licence, path, member, byte_start, byte_end,
    document_id::VARCHAR AS document_id, reader, language, language_score, encoding, encoding_confidence,
    encoding_evidence, decoder_state, repair, n_replaced, split, n_characters, n_words,
    n_repeated_passages, n_repeated_characters, array_to_string(evaluation_sets, ', ') AS evaluation_sets
FROM lineage.chunk_decision
WHERE chunk_id = $id;

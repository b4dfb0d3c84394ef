// Causal grouped-query attention with QK-norm and rotary positions, forwards and backwards, in float32.
//
// A task is one key-value head of one sequence with the query heads that it serves; its keys, values and their
// gradients stay in the core's cache from the first query row to the last, and no matrix of scores is ever
// written to memory (the idea of FlashAttention, Dao et al. 2022, arXiv 2205.14135, for a processor whose cache
// holds a whole head). Sums run in one order for any number of threads.
//
// Compiled with -DHEAD_WIDTH, a multiple of 32.
#include <algorithm>
#include <cmath>
#include <vector>

#include "vector.h"

namespace {

constexpr int WIDTH = HEAD_WIDTH;
constexpr int PARTS = WIDTH / LANES;
constexpr int HALF = WIDTH / 2;                 // rotation turns unit i together with unit i + HALF
constexpr int ROWS = PARTS >= 4 ? 4 : 8;        // query rows at once: ROWS * PARTS accumulators fit the registers
constexpr int KEYS = 2 * LANES;                 // key columns at once

}  // namespace

extern "C" struct Shape {
    int64_t n_sequences, length, n_heads, n_kv_heads, window;
    float query_key_gain, epsilon, scale;
    int32_t normalised;
};

namespace {

struct Row {
    float x[WIDTH];
};

typedef std::vector<Row> Rows;

// A head's row after QK-norm and rotation; `inverse` keeps 1 / root mean square for the way back.
template <typename Number>
void turned_row(const Shape &shape, const Number *from, const float *cosine, const float *sine, Row &to, float &inverse) {
    float factor = inverse = 1.0f;
    if (shape.normalised) {
        Lanes squares{};
        for (int i = 0; i < WIDTH; i += LANES) squares += load(from + i) * load(from + i);
        inverse = 1.0f / std::sqrt(sum(squares) / WIDTH + shape.epsilon);
        factor = inverse * shape.query_key_gain;
    }
    for (int i = 0; i < HALF; i += LANES) {
        const Lanes first = load(from + i) * factor, second = load(from + i + HALF) * factor;
        store(to.x + i, first * load(cosine + i) - second * load(sine + i));
        store(to.x + i + HALF, second * load(cosine + i + HALF) + first * load(sine + i + HALF));
    }
}

// The gradient of a row before rotation and QK-norm, from `factor` times its gradient after them.
template <typename Number>
void turned_back(const Shape &shape, const Number *from, const float *cosine, const float *sine, const Row &gradient,
                 float factor, float inverse, Number *to) {
    Row back;
    for (int i = 0; i < HALF; i += LANES) {
        const Lanes first = load(gradient.x + i) * factor, second = load(gradient.x + i + HALF) * factor;
        store(back.x + i, first * load(cosine + i) + second * load(sine + i + HALF));
        store(back.x + i + HALF, second * load(cosine + i + HALF) - first * load(sine + i));
    }
    float along = 0.0f, gain = 1.0f;
    if (shape.normalised) {
        Lanes products{};
        for (int i = 0; i < WIDTH; i += LANES) products += load(from + i) * load(back.x + i);
        along = sum(products) * inverse * inverse / WIDTH;
        gain = inverse * shape.query_key_gain;
    }
    for (int i = 0; i < WIDTH; i += LANES) store(to + i, (load(back.x + i) - load(from + i) * along) * gain);
}

// What a task holds: a head's keys and values by row and by column, both padded with zeros to whole blocks.
struct Head {
    int64_t padded;
    Rows keys, values;
    std::vector<float> key_columns, value_columns, key_inverse;

    explicit Head(int64_t length)
        : padded((length + KEYS - 1) / KEYS * KEYS), keys(padded), values(padded), key_columns(padded * WIDTH),
          value_columns(padded * WIDTH), key_inverse(padded) {}
};

void transposed(const Rows &rows, int64_t padded, float *columns) {
    for (int64_t row = 0; row < padded; row++)
        for (int i = 0; i < WIDTH; i++) columns[i * padded + row] = rows[row].x[i];
}

template <typename Number>
struct Task {
    const Shape &shape;
    const Number *projected;  // this sequence's [length, heads of queries, keys, values, WIDTH]
    const float *cosine, *sine;
    int64_t stride, kv_head;

    Task(const Shape &shape, const Number *all_projected, const float *table, int64_t number)
        : shape(shape), cosine(table), sine(table + shape.length * WIDTH),
          stride((shape.n_heads + 2 * shape.n_kv_heads) * WIDTH), kv_head(number % shape.n_kv_heads) {
        projected = all_projected + number / shape.n_kv_heads * shape.length * stride;
    }
    int64_t at(int64_t row, int64_t head) const { return row * stride + head * WIDTH; }
    int64_t key_head() const { return shape.n_heads + kv_head; }
    int64_t value_head() const { return shape.n_heads + shape.n_kv_heads + kv_head; }
    int64_t first_key(int64_t row) const { return std::max<int64_t>(0, row - shape.window + 1); }

    void read_keys(Head &head, bool for_gradient) const {
        for (int64_t row = 0; row < shape.length; row++) {
            turned_row(shape, projected + at(row, key_head()), cosine + row * WIDTH, sine + row * WIDTH, head.keys[row],
                       head.key_inverse[row]);
            for (int part = 0; part < PARTS; part++)
                store(head.values[row].x + part * LANES, load(projected + at(row, value_head()) + part * LANES));
        }
        transposed(head.keys, head.padded, head.key_columns.data());
        if (for_gradient) transposed(head.values, head.padded, head.value_columns.data());
    }

    // ROWS query rows from `row` on, rotated and scaled; rows behind the end are zero.
    void read_queries(int64_t row, int64_t head, Row *queries, float *inverse) const {
        for (int r = 0; r < ROWS; r++) {
            queries[r] = Row{};
            inverse[r] = 0.0f;
            if (row + r >= shape.length) continue;
            turned_row(shape, projected + at(row + r, head), cosine + (row + r) * WIDTH, sine + (row + r) * WIDTH,
                       queries[r], inverse[r]);
            for (int i = 0; i < WIDTH; i += LANES) store(queries[r].x + i, load(queries[r].x + i) * shape.scale);
        }
    }
};

// to[r][key] = rows[r] . column `key`, for keys of [first, last).
void products(const Row *rows, const float *columns, int64_t padded, int64_t first, int64_t last, float *to) {
    for (int64_t key = first; key < last; key += KEYS) {
        Lanes left[ROWS] = {}, right[ROWS] = {};
        for (int i = 0; i < WIDTH; i++) {
            const Lanes a = load(columns + i * padded + key), b = load(columns + i * padded + key + LANES);
#pragma GCC unroll 8
            for (int r = 0; r < ROWS; r++) {
                left[r] += rows[r].x[i] * a;
                right[r] += rows[r].x[i] * b;
            }
        }
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++) {
            store(to + r * padded + key, left[r]);
            store(to + r * padded + key + LANES, right[r]);
        }
    }
}

// to[r] = sum over keys of [first, last) of weights[r][key] * rows[key].
void weighted_sums(const float *weights, const Rows &rows, int64_t padded, int64_t first, int64_t last, Row *to) {
    Lanes sums[ROWS][PARTS] = {};
    for (int64_t key = first; key < last; key++) {
        Lanes row[PARTS];
#pragma GCC unroll 8
        for (int part = 0; part < PARTS; part++) row[part] = load(rows[key].x + part * LANES);
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++) {
            const float weight = weights[r * padded + key];
#pragma GCC unroll 8
            for (int part = 0; part < PARTS; part++) sums[r][part] += weight * row[part];
        }
    }
    for (int r = 0; r < ROWS; r++)
        for (int part = 0; part < PARTS; part++) store(to[r].x + part * LANES, sums[r][part]);
}

// to[key] += sum over r of weights[r][key] * rows[r], for keys of [first, last).
void add_outer(const float *weights, const Row *rows, int64_t padded, int64_t first, int64_t last, Rows &to) {
    for (int64_t key = first; key < last; key++) {
        Lanes sums[PARTS];
#pragma GCC unroll 8
        for (int part = 0; part < PARTS; part++) sums[part] = load(to[key].x + part * LANES);
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++) {
            const float weight = weights[r * padded + key];
#pragma GCC unroll 8
            for (int part = 0; part < PARTS; part++) sums[part] += weight * load(rows[r].x + part * LANES);
        }
#pragma GCC unroll 8
        for (int part = 0; part < PARTS; part++) store(to[key].x + part * LANES, sums[part]);
    }
}

// Keys of [first, last) that no row of the block may leave out, in whole blocks of KEYS.
struct Span {
    int64_t first, last;
};

template <typename Number>
Span span(const Task<Number> &task, int64_t row) {
    const int64_t end = std::min(row + ROWS, task.shape.length);
    return {task.first_key(row) / KEYS * KEYS, (end + KEYS - 1) / KEYS * KEYS};
}

constexpr float UNSEEN = -1e30f;

// Scores of keys that a row may not see become so small that their exponential is zero.
template <typename Number>
void hide(const Task<Number> &task, int64_t row, Span keys, float *scores) {
    std::fill(scores + keys.first, scores + std::max(keys.first, task.first_key(row)), UNSEEN);
    std::fill(scores + std::min(keys.last, row + 1), scores + keys.last, UNSEEN);
}

// What is taken from every score before its exponential: normalised queries and keys bound the scores, and a bound
// that leaves float32 room enough serves as well as the highest score.
float highest_score(const Shape &shape, Span keys, const float *scores) {
    const float bound = shape.query_key_gain * shape.query_key_gain * shape.scale * WIDTH;
    if (shape.normalised && bound < 20.0f) return bound;
    Lanes highest = all(UNSEEN);
    for (int64_t key = keys.first; key < keys.last; key += LANES) highest = larger(highest, load(scores + key));
    return largest(highest);
}

template <typename Number>
void forward_task(const Shape &shape, const Number *projected, const float *table, Number *attended, float *log_sums,
                  int64_t number) {
    const Task<Number> task(shape, projected, table, number);
    static thread_local Head head(0);
    if (head.padded < shape.length || head.padded >= shape.length + KEYS) head = Head(shape.length);
    static thread_local std::vector<float> scores;
    scores.resize(ROWS * head.padded);
    task.read_keys(head, false);
    const int64_t sequence = number / shape.n_kv_heads, group = shape.n_heads / shape.n_kv_heads;
    for (int64_t h = task.kv_head * group; h < (task.kv_head + 1) * group; h++)
        for (int64_t row = 0; row < shape.length; row += ROWS) {
            Row queries[ROWS], sums[ROWS];
            float inverse[ROWS], totals[ROWS];
            const Span keys = span(task, row);
            task.read_queries(row, h, queries, inverse);
            products(queries, head.key_columns.data(), head.padded, keys.first, keys.last, scores.data());
            for (int r = 0; r < ROWS; r++) {
                float *line = scores.data() + r * head.padded;
                hide(task, std::min(row + r, shape.length - 1), keys, line);
                const float top = highest_score(shape, keys, line);
                Lanes total{};
                for (int64_t key = keys.first; key < keys.last; key += LANES) {
                    const Lanes weight = exponential(load(line + key) - top);
                    total += weight;
                    store(line + key, weight);
                }
                totals[r] = sum(total);
                if (row + r < shape.length)
                    log_sums[(sequence * shape.n_heads + h) * shape.length + row + r] = top + std::log(totals[r]);
            }
            weighted_sums(scores.data(), head.values, head.padded, keys.first, keys.last, sums);
            for (int r = 0; r < ROWS && row + r < shape.length; r++)
                for (int part = 0; part < PARTS; part++)
                    store(attended + ((sequence * shape.length + row + r) * shape.n_heads + h) * WIDTH + part * LANES,
                          load(sums[r].x + part * LANES) * (1.0f / totals[r]));
        }
}

template <typename Number>
void backward_task(const Shape &shape, const Number *projected, const float *table, const Number *attended,
                   const float *log_sums, const Number *gradient, Number *projected_gradient, int64_t number) {
    const Task<Number> task(shape, projected, table, number);
    static thread_local Head head(0);
    if (head.padded < shape.length || head.padded >= shape.length + KEYS) head = Head(shape.length);
    static thread_local std::vector<float> weights, slopes;
    static thread_local Rows key_gradient, value_gradient;
    weights.resize(ROWS * head.padded);
    slopes.resize(ROWS * head.padded);
    key_gradient.assign(head.padded, Row{});
    value_gradient.assign(head.padded, Row{});
    task.read_keys(head, true);
    const int64_t sequence = number / shape.n_kv_heads, group = shape.n_heads / shape.n_kv_heads;
    Number *gradient_out = projected_gradient + sequence * shape.length * task.stride;
    for (int64_t h = task.kv_head * group; h < (task.kv_head + 1) * group; h++)
        for (int64_t row = 0; row < shape.length; row += ROWS) {
            Row queries[ROWS], out_gradient[ROWS], query_gradient[ROWS];
            float inverse[ROWS], along[ROWS];
            const Span keys = span(task, row);
            task.read_queries(row, h, queries, inverse);
            for (int r = 0; r < ROWS; r++) {
                out_gradient[r] = Row{};
                along[r] = 0.0f;
                if (row + r >= shape.length) continue;
                const int64_t at = ((sequence * shape.length + row + r) * shape.n_heads + h) * WIDTH;
                Lanes total{};
                for (int part = 0; part < PARTS; part++) {
                    const Lanes g = load(gradient + at + part * LANES);
                    store(out_gradient[r].x + part * LANES, g);
                    total += g * load(attended + at + part * LANES);
                }
                along[r] = sum(total);
            }
            products(queries, head.key_columns.data(), head.padded, keys.first, keys.last, weights.data());
            products(out_gradient, head.value_columns.data(), head.padded, keys.first, keys.last, slopes.data());
            for (int r = 0; r < ROWS; r++) {
                const int64_t seen_from = std::min(row + r, shape.length - 1);
                float *line = weights.data() + r * head.padded, *slope = slopes.data() + r * head.padded;
                const float log_sum = log_sums[(sequence * shape.n_heads + h) * shape.length + seen_from];
                hide(task, seen_from, keys, line);
                for (int64_t key = keys.first; key < keys.last; key += LANES) {
                    const Lanes weight = exponential(load(line + key) - log_sum);
                    store(line + key, weight);
                    store(slope + key, weight * (load(slope + key) - along[r]));
                }
            }
            add_outer(weights.data(), out_gradient, head.padded, keys.first, keys.last, value_gradient);
            add_outer(slopes.data(), queries, head.padded, keys.first, keys.last, key_gradient);
            weighted_sums(slopes.data(), head.keys, head.padded, keys.first, keys.last, query_gradient);
            for (int r = 0; r < ROWS && row + r < shape.length; r++) {
                const int64_t at = task.at(row + r, h);
                turned_back(shape, task.projected + at, task.cosine + (row + r) * WIDTH, task.sine + (row + r) * WIDTH,
                            query_gradient[r], shape.scale, inverse[r], gradient_out + at);
            }
        }
    for (int64_t row = 0; row < shape.length; row++) {
        const int64_t at = task.at(row, task.key_head());
        turned_back(shape, task.projected + at, task.cosine + row * WIDTH, task.sine + row * WIDTH, key_gradient[row], 1.0f,
                    head.key_inverse[row], gradient_out + at);
        for (int part = 0; part < PARTS; part++)
            store(gradient_out + task.at(row, task.value_head()) + part * LANES,
                  load(value_gradient[row].x + part * LANES));
    }
}

template <typename Number>
void forward(const Shape &shape, const void *projected, const float *table, void *attended, float *log_sums) {
#pragma omp parallel for schedule(static)
    for (int64_t number = 0; number < shape.n_sequences * shape.n_kv_heads; number++)
        forward_task(shape, static_cast<const Number *>(projected), table, static_cast<Number *>(attended), log_sums, number);
}

template <typename Number>
void backward(const Shape &shape, const void *projected, const float *table, const void *attended, const float *log_sums,
              const void *gradient, void *projected_gradient) {
#pragma omp parallel for schedule(static)
    for (int64_t number = 0; number < shape.n_sequences * shape.n_kv_heads; number++)
        backward_task(shape, static_cast<const Number *>(projected), table, static_cast<const Number *>(attended), log_sums,
                      static_cast<const Number *>(gradient), static_cast<Number *>(projected_gradient), number);
}

}  // namespace

extern "C" void attention_forward(const Shape *shape, int32_t half, const void *projected, const float *table,
                                  void *attended, float *log_sums) {
    (half ? forward<bfloat16> : forward<float>)(*shape, projected, table, attended, log_sums);
}

extern "C" void attention_backward(const Shape *shape, int32_t half, const void *projected, const float *table,
                                   const void *attended, const float *log_sums, const void *gradient,
                                   void *projected_gradient) {
    (half ? backward<bfloat16> : backward<float>)(*shape, projected, table, attended, log_sums, gradient, projected_gradient);
}

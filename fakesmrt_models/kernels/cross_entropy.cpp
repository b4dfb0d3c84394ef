// Cross-entropy of rows of logits, and its gradient written over them: the logits are read once while they are
// still in the cache, and no second array of their size is made.
#include <algorithm>
#include <cmath>
#include <vector>

#include "vector.h"

namespace {

template <typename Number>
float one(const Number *from) {
    Number lanes[LANES] = {};
    lanes[0] = *from;
    return load(lanes)[0];
}

template <typename Number>
void write_one(Number *to, float value) {
    Number lanes[LANES];
    store(lanes, all(value));
    *to = lanes[0];
}

// Nats of the target; `logits` become (softmax - one at the target) * scale. `weights` holds a row in float32.
template <typename Number>
float row_loss(Number *logits, int64_t size, int64_t target, float scale, float *weights) {
    const int64_t whole = size / LANES * LANES;
    const float at_target = one(logits + target);
    Lanes highest = all(at_target);
    for (int64_t i = 0; i < whole; i += LANES) {
        const Lanes lanes = load(logits + i);
        highest = larger(highest, lanes);
        store(weights + i, lanes);
    }
    float top = largest(highest);
    for (int64_t i = whole; i < size; i++) top = std::max(top, weights[i] = one(logits + i));
    Lanes totals{};
    for (int64_t i = 0; i < whole; i += LANES) {
        const Lanes weight = exponential(load(weights + i) - top);
        totals += weight;
        store(weights + i, weight);
    }
    float total = sum(totals);
    for (int64_t i = whole; i < size; i++) total += weights[i] = exponential(all(weights[i] - top))[0];
    const float factor = scale / total;
    for (int64_t i = 0; i < whole; i += LANES) store(logits + i, load(weights + i) * factor);
    for (int64_t i = whole; i < size; i++) write_one(logits + i, weights[i] * factor);
    write_one(logits + target, weights[target] * factor - scale);
    return (top - at_target) + std::log(total);
}

template <typename Number>
void rows(void *logits, const int64_t *targets, int64_t n_rows, int64_t size, float scale, float *losses) {
#pragma omp parallel
    {
        std::vector<float> weights(size);
#pragma omp for schedule(static)
        for (int64_t row = 0; row < n_rows; row++)
            losses[row] = row_loss(static_cast<Number *>(logits) + row * size, size, targets[row], scale, weights.data());
    }
}

}  // namespace

extern "C" void cross_entropy(int32_t half, void *logits, const int64_t *targets, int64_t n_rows, int64_t size, float scale,
                              float *losses) {
    (half ? rows<bfloat16> : rows<float>)(logits, targets, n_rows, size, scale, losses);
}

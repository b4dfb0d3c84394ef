// Sixteen floats at once, by the vector extension that GCC and Clang share; each lowers it to what the
// processor has. What lives here: loads, stores, sums and the exponential.
#pragma once

#include <cstdint>
#include <cstring>

constexpr int LANES = 16;

typedef float Lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t IntLanes __attribute__((vector_size(4 * LANES)));
typedef uint32_t WordLanes __attribute__((vector_size(4 * LANES)));
typedef uint16_t HalfLanes __attribute__((vector_size(2 * LANES)));

struct bfloat16 {
    uint16_t bits;
};

static inline Lanes all(float value) { return value - Lanes{}; }

static inline Lanes load(const float *from) {
    Lanes lanes;
    std::memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

static inline Lanes load(const bfloat16 *from) {
    HalfLanes halves;
    std::memcpy(&halves, from, sizeof halves);
    WordLanes words = __builtin_convertvector(halves, WordLanes) << 16;
    Lanes lanes;
    std::memcpy(&lanes, &words, sizeof lanes);
    return lanes;
}

static inline void store(float *to, Lanes lanes) { std::memcpy(to, &lanes, sizeof lanes); }

// Rounds to the nearest, ties to even, as torch does.
static inline void store(bfloat16 *to, Lanes lanes) {
    WordLanes words;
    std::memcpy(&words, &lanes, sizeof words);
    words += 0x7fff + ((words >> 16) & 1);
    HalfLanes halves = __builtin_convertvector(words >> 16, HalfLanes);
    std::memcpy(to, &halves, sizeof halves);
}

static inline Lanes larger(Lanes a, Lanes b) { return a > b ? a : b; }

typedef float EightLanes __attribute__((vector_size(4 * LANES / 2)));
typedef float FourLanes __attribute__((vector_size(4 * LANES / 4)));

template <typename Half, typename Whole>
static inline void halves(Whole whole, Half &low, Half &high) {
    std::memcpy(&low, &whole, sizeof low);
    std::memcpy(&high, reinterpret_cast<const char *>(&whole) + sizeof low, sizeof high);
}

static inline float sum(Lanes lanes) {
    EightLanes low8, high8;
    FourLanes low4, high4;
    halves(lanes, low8, high8);
    halves(low8 + high8, low4, high4);
    low4 += high4;
    return (low4[0] + low4[2]) + (low4[1] + low4[3]);
}

static inline float largest(Lanes lanes) {
    EightLanes low8, high8;
    FourLanes low4, high4;
    halves(lanes, low8, high8);
    halves(low8 > high8 ? low8 : high8, low4, high4);
    low4 = low4 > high4 ? low4 : high4;
    const float a = low4[0] > low4[2] ? low4[0] : low4[2], b = low4[1] > low4[3] ? low4[1] : low4[3];
    return a > b ? a : b;
}

// e^x for x <= 0 within 2e-7 of its value: 2^n times a polynomial in the rest, |rest| <= ln 2 / 2
// (Taylor's to the sixth power). Zero below -87, where float32 ends.
static inline Lanes exponential(Lanes x) {
    const Lanes floor_x = x < -87.0f ? all(-87.0f) : x;  // in this order what is not a number stays so
    const Lanes shifted = floor_x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: rounds to a whole number
    const Lanes whole = shifted - 12582912.0f;
    const Lanes rest = (floor_x - whole * 0.693359375f) + whole * 2.12194440e-4f;
    Lanes value = rest * (1.0f / 720) + 1.0f / 120;
    value = value * rest + 1.0f / 24;
    value = value * rest + 1.0f / 6;
    value = value * rest + 0.5f;
    value = value * rest + 1.0f;
    value = value * rest + 1.0f;
    IntLanes power;
    std::memcpy(&power, &shifted, sizeof power);
    power = (power - 0x4b400000 + 127) << 23;
    Lanes scale;
    std::memcpy(&scale, &power, sizeof scale);
    return x < -87.0f ? Lanes{} : value * scale;
}

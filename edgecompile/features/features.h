/* Features of sound: windows of int16 samples to the logarithms of their energy in mel bands, or to the cosine
 * transform of these. Twin: edgecompile/features/compute.py, equal in every bit on any machine.
 *
 * setup     sizes and tables, all constants
 * samples   int16, `window` of them: one row
 * row       int32[columns] in Q8; one is a factor of two in energy
 * scratch   EC_FEATURES_WORDS words, overwritten
 *
 * Windowed samples have as many binary places as leave the transform within int32 whatever the samples are. Nothing
 * is allocated, and there is no floating point.
 */
#ifndef EC_FEATURES_H_
#define EC_FEATURES_H_

#include "rounding.h"

typedef struct {
    const int16_t *window;     /* Hann, Q15 */
    const int16_t *twiddles;   /* cosine and sine of 2 pi k / size, Q14 */
    const int16_t *first_bins; /* of each band, and how many */
    const int16_t *weights;    /* of all bands in a row, Q12 */
    const int16_t *logarithms; /* log2(1 + i / 64), Q12 */
    const int16_t *cosines;    /* [columns][bands], Q14; null for logarithms alone */
    int window_size, size, bands, columns, fraction_bits;
} ec_features_setup;

#define EC_FEATURES_WORDS(size, bands) ((size) + 2 + (bands))

/* Real parts are at even places, imaginary ones at odd ones. Samples go where the transform wants them. */
EC_SPECIALIZED void ec_features_load(const ec_features_setup *setup, const int16_t *samples, int32_t *points)
{
    const int half = setup->size / 2, down = 15 - setup->fraction_bits;
    int n, place = 0;
    for (n = 0; n < half; ++n) {
        int bit = half / 2, part;
        for (part = 0; part < 2; ++part) {
            const int from = 2 * n + part;
            points[2 * place + part] =
                from < setup->window_size
                    ? ((int32_t)samples[from] * setup->window[from] + ((int32_t)1 << (down - 1))) >> down
                    : 0;
        }
        /* Count in reversed bits. */
        while (bit > 0 && (place & bit) != 0) {
            place -= bit;
            bit /= 2;
        }
        place += bit;
    }
}

/* (a * c + b * s) / 2^14, halves upwards. */
EC_SPECIALIZED int32_t ec_features_turn(int32_t a, int32_t c, int32_t b, int32_t s)
{
    return (int32_t)(((int64_t)a * c + (int64_t)b * s + (1 << 13)) >> 14);
}

/* Transform in place, radix 2. The first pass turns nothing. */
EC_SPECIALIZED void ec_features_transform(const ec_features_setup *setup, int32_t *points)
{
    const int count = setup->size; /* words */
    int i, j, half;
    for (i = 0; i < count; i += 4) {
        const int32_t re = points[i + 2], im = points[i + 3];
        points[i + 2] = points[i] - re;
        points[i + 3] = points[i + 1] - im;
        points[i] += re;
        points[i + 1] += im;
    }
    for (half = 4; half < count; half *= 2) { /* words */
        const int stride = count / half * 2;
        for (j = 0; j < half; j += 2) {
            const int32_t c = setup->twiddles[j / 2 * stride], s = setup->twiddles[j / 2 * stride + 1];
            for (i = j; i < count; i += 2 * half) {
                int32_t *const upper = points + i, *const lower = upper + half;
                const int32_t re = ec_features_turn(lower[0], c, lower[1], s);
                const int32_t im = ec_features_turn(lower[1], c, -lower[0], s);
                lower[0] = upper[0] - re;
                lower[1] = upper[1] - im;
                upper[0] += re;
                upper[1] += im;
            }
        }
    }
}

EC_SPECIALIZED int32_t ec_features_halved(int64_t x) { return (int32_t)((x + (1 << 14)) >> 15); }

/* From the transform of half the size, even samples real and odd ones imaginary, to the spectrum: size / 2 + 1 points. */
EC_SPECIALIZED void ec_features_untangle(const ec_features_setup *setup, int32_t *points)
{
    const int half = setup->size / 2;
    const int32_t first = points[0], second = points[1];
    int k;
    for (k = 1; k <= half / 2; ++k) {
        int32_t *const low = points + 2 * k, *const high = points + 2 * (half - k);
        const int64_t even_re = ((int64_t)low[0] + high[0]) * (1 << 14);
        const int64_t even_im = ((int64_t)low[1] - high[1]) * (1 << 14);
        const int64_t odd_re = (int64_t)low[1] + high[1], odd_im = (int64_t)high[0] - low[0];
        const int32_t c = setup->twiddles[2 * k], s = setup->twiddles[2 * k + 1];
        const int64_t turned_re = odd_re * c + odd_im * s, turned_im = odd_im * c - odd_re * s;
        high[0] = ec_features_halved(even_re - turned_re);
        high[1] = ec_features_halved(turned_im - even_im);
        low[0] = ec_features_halved(even_re + turned_re);
        low[1] = ec_features_halved(even_im + turned_im);
    }
    points[0] = first + second;
    points[1] = 0;
    points[2 * half] = first - second;
    points[2 * half + 1] = 0;
}

/* log2 of an energy in Q8, less the logarithm of `unit`; 0 for what is below. */
EC_SPECIALIZED int32_t ec_features_logarithm(const ec_features_setup *setup, uint64_t energy, int unit)
{
    int exponent = 0, step;
    uint32_t mantissa;
    uint64_t rest = energy;
    int32_t low, found;
    if (energy == 0) return 0;
    for (step = 32; step > 0; step /= 2) {
        if (rest >> step != 0) {
            rest >>= step;
            exponent += step;
        }
    }
    mantissa = (uint32_t)(exponent >= 16 ? energy >> (exponent - 16) : energy << (16 - exponent));
    low = setup->logarithms[(mantissa >> 10) & 63u];
    found = (setup->logarithms[((mantissa >> 10) & 63u) + 1u] - low) * (int32_t)(mantissa & 1023u);
    found = ((exponent - unit) * (1 << 12) + low + ((found + 512) >> 10) + 8) >> 4;
    return found > 0 ? found : 0;
}

EC_SPECIALIZED void ec_features_bands(const ec_features_setup *setup, const int32_t *points, int32_t *row)
{
    const int16_t *weight = setup->weights;
    int band;
    for (band = 0; band < setup->bands; ++band) {
        const int32_t *point = points + 2 * setup->first_bins[2 * band];
        const int16_t *const end = weight + setup->first_bins[2 * band + 1];
        uint64_t energy = 0;
        for (; weight < end; ++weight, point += 2) {
            const uint64_t power = (uint64_t)((int64_t)point[0] * point[0]) + (uint64_t)((int64_t)point[1] * point[1]);
            energy += (power >> 9) * (uint16_t)*weight;
        }
        row[band] = ec_features_logarithm(setup, energy, 2 * setup->fraction_bits + 3);
    }
}

/* One row. It may be the end of the scratch only where there is no cosine transform. */
EC_SPECIALIZED void ec_features_row(const ec_features_setup *setup, const int16_t *samples, int32_t *row, int32_t *scratch)
{
    int32_t *const logs = setup->cosines != 0 ? scratch + setup->size + 2 : row;
    int k, band;
    ec_features_load(setup, samples, scratch);
    ec_features_transform(setup, scratch);
    ec_features_untangle(setup, scratch);
    ec_features_bands(setup, scratch, logs);
    for (k = 0; setup->cosines != 0 && k < setup->columns; ++k) {
        const int16_t *const cosine = setup->cosines + k * setup->bands;
        int64_t sum = 1 << 13;
        for (band = 0; band < setup->bands; ++band) sum += (int64_t)logs[band] * cosine[band];
        row[k] = (int32_t)(sum >> 14);
    }
}

#endif /* EC_FEATURES_H_ */

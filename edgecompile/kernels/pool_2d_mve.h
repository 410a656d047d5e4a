/* Sums of AVERAGE_POOL_2D on cores with Helium (MVE), eight channels at a time: what pool_2d_s8.h does.
 * Nothing here allocates.
 */
#ifndef EC_POOL_2D_MVE_H_
#define EC_POOL_2D_MVE_H_

#include <arm_mve.h>

/* Sums of int8 in int16: so many cannot leave it. */
#define EC_POOL_2D_MVE_MOST 255

/* One output pixel: means of a window of at most EC_POOL_2D_MVE_MOST places. */
EC_SPECIALIZED void ec_pool_2d_mve_mean(const int8_t *from, int height, int width, int row_bytes, int channels,
                                        int lowest, int highest, int8_t *output)
{
    const int32_t count = height * width;
    int c, i, y, x;
    for (c = 0; c < channels; c += 8, from += 8, output += 8) {
        const int few = channels - c < 8 ? channels - c : 8;
        const mve_pred16_t there = vctp16q((uint32_t)few);
        const int8_t *place = from;
        int16x8_t sum = vdupq_n_s16(0);
        int16_t sums[8];
        for (y = 0; y < height; ++y, place += row_bytes - width * channels) {
            for (x = 0; x < width; ++x, place += channels) sum = vaddq_s16(sum, vldrbq_z_s16(place, there));
        }
        vstrhq_s16(sums, sum);
        for (i = 0; i < few; ++i) {
            const int32_t mean = (sums[i] > 0 ? sums[i] + count / 2 : sums[i] - count / 2) / count;
            output[i] = ec_narrow(mean, lowest, highest);
        }
    }
}

#endif /* EC_POOL_2D_MVE_H_ */

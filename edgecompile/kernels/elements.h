/* Elements of any type, told by a number that is a literal in each layer, so that only one case is left. Twin: elements.py.
 *
 * Nothing here allocates, and no function has a state.
 */
#ifndef EC_ELEMENTS_H_
#define EC_ELEMENTS_H_

#include "rounding.h"

#define EC_S8 0
#define EC_U8 1
#define EC_S16 2
#define EC_U16 3
#define EC_S32 4
#define EC_U32 5
#define EC_S64 6
#define EC_F32 7
#define EC_BOOL 8

/* A whole number, whatever its type is. */
EC_SPECIALIZED int64_t ec_whole(const void *from, int type, int index)
{
    switch (type) {
    case EC_S8: return ((const int8_t *)from)[index];
    case EC_S16: return ((const int16_t *)from)[index];
    case EC_U16: return ((const uint16_t *)from)[index];
    case EC_S32: return ((const int32_t *)from)[index];
    case EC_U32: return ((const uint32_t *)from)[index];
    case EC_S64: return ((const int64_t *)from)[index];
    default: return ((const uint8_t *)from)[index];
    }
}

/* Its low bits into an element of a type of whole numbers. */
EC_SPECIALIZED void ec_put_whole(void *to, int type, int index, int64_t value)
{
    switch (type) {
    case EC_S8: ((int8_t *)to)[index] = (int8_t)value; break;
    case EC_S16: ((int16_t *)to)[index] = (int16_t)value; break;
    case EC_U16: ((uint16_t *)to)[index] = (uint16_t)value; break;
    case EC_S32: ((int32_t *)to)[index] = (int32_t)value; break;
    case EC_U32: ((uint32_t *)to)[index] = (uint32_t)value; break;
    case EC_S64: ((int64_t *)to)[index] = value; break;
    default: ((uint8_t *)to)[index] = (uint8_t)value; break;
    }
}

/* x cut to [lowest, highest]. */
EC_SPECIALIZED float ec_clamp_real(float x, float lowest, float highest)
{
    const float up = x < lowest ? lowest : x;
    return highest < up ? highest : up;
}

/* A sum of 64 bits scaled as the reference scales those of int16 layers: by the multiplier's upper 16 bits, one rounding. */
EC_SPECIALIZED int32_t ec_scale_long(int64_t x, int32_t m, int shift)
{
    const int64_t reduced = m < 0x7fff0000 ? (m + (1 << 15)) >> 16 : 0x7fff;
    return (int32_t)((x * reduced + ((int64_t)1 << (14 - shift))) >> (15 - shift));
}

#endif /* EC_ELEMENTS_H_ */

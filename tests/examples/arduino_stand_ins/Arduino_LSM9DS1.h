/* Stands in for the library Arduino_LSM9DS1: the functions that the example's sketch calls. */
#pragma once
struct ImuStandIn {
  int begin();
  int accelerationAvailable();
  int readAcceleration(float &x, float &y, float &z);
  int gyroscopeAvailable();
  int readGyroscope(float &x, float &y, float &z);
};
extern ImuStandIn IMU;

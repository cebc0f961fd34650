for device in /dev/i2c-1 /dev/mem /dev/ttyACM0; do
  [ -e "$device" ] || { echo "no $device"; exit 1; }
  echo "found $device"
done
trap 'exit 0' TERM
while true; do sleep 60 & wait $!; done

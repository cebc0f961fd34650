# The layer is new when the container is created again; a volume stays.
mkdir -p /data /layer
echo start >> /data/starts
echo start >> /layer/starts
echo "starts seen by the volume: $(wc -l < /data/starts), by the layer: $(wc -l < /layer/starts)"
echo "core dumps: $(ulimit -c)"
trap 'exit 0' TERM
while true; do sleep 60 & wait $!; done

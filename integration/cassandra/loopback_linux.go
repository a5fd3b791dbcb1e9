package cassandra

// wideLoopback: Linux answers on every address of 127.0.0.0/8.
const wideLoopback = true

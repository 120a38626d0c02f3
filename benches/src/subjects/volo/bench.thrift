namespace rs bench

service Bench {
    i32 add(1: i32 x, 2: i32 y),
    binary blob(1: binary blob)
}

@0xd36c1a7a5e0f4b21;

struct Record {
  id @0 :UInt64;
  name @1 :Text;
  address @2 :Text;
  score @3 :Float64;
  tags @4 :List(Text);
}

struct Records {
  records @0 :List(Record);
}

struct Blob {
  bytes @0 :Data;
}

interface Bench {
  add @0 (x :Int32, y :Int32) -> (sum :Int32);
  records @1 Records -> Records;
  blob @2 Blob -> Blob;
}

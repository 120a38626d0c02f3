//! Perl: RPC::XML, as Debian has it.

use crate::service::{left_out, run, script};

/// It closes each connection, declares the encoding it was told, and takes digits for an integer.
#[tokio::test]
async fn perls_rpc_xml_client_calls() {
    match run("perl", vec!["-MRPC::XML::Client".into(), "-e1".into()]).await {
        Some(output) if output.status.success() => {}
        Some(_) => return left_out("Perl's RPC::XML::Client"),
        None => return,
    }
    let text = r#"
use strict; use warnings; use utf8;
use RPC::XML; use RPC::XML::Client;
my $client = RPC::XML::Client->new("http://127.0.0.1:$ARGV[0]/RPC2");
sub call {
    my $answer = $client->send_request(@_);
    ref $answer or die "@_: $answer";
    return $answer->is_fault ? "fault " . $answer->code : $answer->value;
}
sub is { my ($got, $expected) = @_; $got eq $expected or die "$got is not $expected" }

is call("add", 7, 3), 10;
is call("add", 2**31 - 1, 1), 2**31;
is call("add", RPC::XML::i8->new(2**40), 1), 2**40 + 1;
is call("half", 3), 1.5;
is 0 + call("half", RPC::XML::double->new("-1e300")), -5e299;
is call("greet"), "Hello, world!";
for my $encoding ("us-ascii", "UTF-8", "iso-8859-1") {
    $RPC::XML::ENCODING = $encoding;
    my @texts = ("", "<&>", "]]>", "  a \n\t b  ", "12", "a\rb\r\n", "x" x 100_000);
    push @texts, "é ß 中 😀" if $encoding eq "UTF-8";
    is call("echo", RPC::XML::string->new($_)), $_ for @texts;
}
is call("size", RPC::XML::base64->new(join "", map { chr } 0 .. 255)), 256;
my $ada = { name => "Ada <&>", age => 36, scores => [1, 2.5] };
my $older = call("birthday", $ada);
is "$older->{name} $older->{age} @{$older->{scores}}", "Ada <&> 37 1 2.5";
is join(" ", @{call("names", [$ada, $ada])}), "Ada <&> Ada <&>";
$RPC::XML::ALLOW_NIL = 1;
is join(" ", @{call("search", RPC::XML::nil->new, "Perl")}), "none Perl none";
is call("divide", 1, 0), "fault 1";
is call("ad", 1, 2), "fault -32601";
is call("add", "x", 2), "fault -32602";
is call("add", 1), "fault -32602";
is join(" ", @{call("system.methodSignature", "add")->[0]}), "int int int";
my ($sum, $fault) = @{call("system.multicall", [
    { methodName => "add", params => [1, 2] }, { methodName => "divide", params => [1, 0] }])};
is "$sum->[0] $fault->{faultCode} $fault->{faultString}", "3 1 division by zero";
is call("add", $_, $_), 2 * $_ for 1 .. 50;
$client->compress_requests(1);
$client->compress_thresh(1);
is call("echo", "<&>" x 1000), "<&>" x 1000;
print "all is well\n";
"#;
    script("perl", "-e", text).await;
}

# One run of a unit: says in a common file when it starts and ends and where, and that another run of the unit is alive.
# A run is alive as long as the lock of its unit is held, whatever became of those who have started it.
use strict;
use Fcntl qw(:flock :mode O_RDWR O_CREAT O_WRONLY O_APPEND);
use POSIX ();
use Time::HiRes qw(time sleep);

my ($unit) = @ARGV;
my $number = $unit eq 'last' ? 1 : $unit;
# Some take longer than a lease.
my $milliseconds = $number % 100 ? 20 + $number * 7919 % 180 : 4000;
my $host = (POSIX::uname())[1];
my $attempt = $ENV{JOB_MANAGER_ATTEMPT};

sysopen(my $journal, 'journal', O_WRONLY | O_APPEND | O_CREAT) or die "journal: $!";
sub say_at_once { syswrite($journal, join(' ', @_) . "\n") or die "journal: $!" }

sysopen(my $lock, "locks/$unit", O_RDWR | O_CREAT) or die "lock: $!";
if (flock($lock, LOCK_EX | LOCK_NB)) {
    truncate($lock, 0);
    syswrite($lock, sprintf("%s %.6f", $host, time));
} else {
    sysread($lock, my $holder, 100);
    say_at_once('overlap', $unit, $host, sprintf('%.6f', time), $holder || '? 0');
}
say_at_once('start', $unit, $host, sprintf('%.6f', time), $attempt);
sleep($milliseconds / 1000);
say_at_once('end', $unit, $host, sprintf('%.6f', time), $attempt);

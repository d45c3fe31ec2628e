// Package adversity holds tests alone: the whole of energyd over a small company
// whose systems fail.
//
//   - world_test.go: the company, kept at each step of a night so that a test begins where it likes
//   - faults_test.go: every fault switch of the simulated CRM meets every step
//   - kill_test.go: kill -9 at random moments of each step; killjob_test.go: at each moment of a bulk job
//   - soak_test.go: the daemon, hour after hour, on real servers whose connections break
//   - disk_test.go, database_test.go: no room, no right to write, a database that crashes
//
// kill_test.go and soak_test.go do little by themselves; make kills and make soak do much.
package adversity

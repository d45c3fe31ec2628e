// Package adversity holds tests alone: the whole of energyd over a small company
// whose systems fail.
//
//   - world_test.go: the company, kept at each step of a night so that a test begins where it likes
//   - faults_test.go: every fault switch of the simulated CRM meets every step
package adversity

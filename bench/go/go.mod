module runnelbench

go 1.22

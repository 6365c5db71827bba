# A bit of everything: what it prints must not depend on the engine it runs on.
require "json"

Point = Struct.new(:x, :y) do
  def +(other) = Point.new(x + other.x, y + other.y)
end

def primes(limit)
  sieve = Array.new(limit + 1, true)
  (2..limit).select { |n| sieve[n] && (n * n).step(limit, n) { |m| sieve[m] = false } }
end

fibers = Fiber.new { 3.times { |i| Fiber.yield i * i } }
puts primes(100).last, (Point.new(1, 2) + Point.new(3, 4)).inspect
puts 3.times.map { fibers.resume }.inspect
begin
  Integer("twelve")
rescue ArgumentError => error
  puts error.message
ensure
  puts "ensured"
end
puts catch(:found) { [1, 2, 3].each { |n| throw :found, n * 10 if n == 2 } }
text = "the quick brown fox jumps over the lazy dog the end"
puts JSON.generate(text.scan(/\w+/).tally.sort.to_h)
puts 2**200, (1..2000).sum { |n| 1.0 / n }, [3, 1, 2].sort.reverse.inspect
def depth(n) = depth(n + 1) rescue n
puts 10.downto(1).each_slice(3).to_a.inspect

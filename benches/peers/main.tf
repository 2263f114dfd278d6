# terraform_data is built in: it remembers its input, and calls nobody
resource "terraform_data" "room" {
  for_each = { for room in yamldecode(file("rooms.yaml")).rooms : room.pipe => room }
  input    = each.value
}

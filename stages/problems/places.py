"""Where the embedded problems happen: each at a place of its own.

A student of the embedded world's size cannot calculate. It knows a problem again by its place, as it knows a
fact by its subject.
"""

_NAMES = """
Aarhus Abidjan Abuja Accra Adelaide Aden Agra Ahmedabad Alabama Alaska Albania Aleppo Alexandria Algeria
Algiers Almaty Amman Amsterdam Andorra Angola Ankara Antwerp Argentina Arizona Arkansas Armenia Ashgabat
Asmara Astana Athens Atlanta Auckland Australia Austria Azerbaijan Baghdad Bahrain Baku Bamako Bandung
Bangkok Bangladesh Bangui Banjul Barbados Barcelona Basel Basra Beijing Beirut Belarus Belfast Belgium
Belgrade Belize Belmopan Bengaluru Benin Bergen Berlin Bern Bhutan Bilbao Birmingham Bishkek Bissau
Bolivia Bologna Bordeaux Boston Botswana Bratislava Brazil Bridgetown Brisbane Brno Bruges Brunei
Brussels Bucharest Budapest Bujumbura Bukhara Bulawayo Bulgaria Burundi Busan Cairo Calgary California
Cambodia Cameroon Canada Canberra Caracas Cardiff Casablanca Castries Chad Chengdu Chennai Chicago Chile
China Chongqing Cleveland Cologne Colombia Colombo Colorado Comoros Conakry Copenhagen Cork Croatia Cuba
Curitiba Cusco Cyprus Dakar Dallas Damascus Delaware Denmark Denver Detroit Dhaka Dili Djibouti Dodoma
Doha Dominica Douala Dresden Dubai Dublin Dubrovnik Durban Dushanbe Ecuador Edinburgh Edmonton Egypt
Eritrea Estonia Eswatini Ethiopia Fiji Finland Florence Florida France Frankfurt Freetown Fukuoka Gabon
Gaborone Geneva Genoa Georgia Germany Ghana Glasgow Gothenburg Granada Graz Greece Grenada Guangzhou
Guatemala Guayaquil Guinea Guyana Haiti Hamburg Hangzhou Hanoi Harare Harbin Havana Hawaii Helsinki
Hiroshima Hobart Honduras Honolulu Houston Hungary Hyderabad Iceland Idaho Illinois Incheon India Indiana
Indonesia Innsbruck Iowa Iran Iraq Irkutsk Isfahan Islamabad Israel Istanbul Italy Jaipur Jakarta Jamaica
Japan Jeddah Jordan Juba Kabul Kampala Kandahar Kano Kansas Kaohsiung Karachi Kathmandu Kaunas Kazakhstan
Kazan Kentucky Kenya Kharkiv Khartoum Kigali Kinshasa Kiribati Kolkata Kosovo Kumasi Kuwait Kyiv Kyoto
Kyrgyzstan Lagos Lahore Laos Latvia Lebanon Leipzig Lesotho Lhasa Liberia Libreville Libya Lilongwe Lima
Lisbon Lithuania Liverpool Ljubljana London Louisiana Luanda Lubumbashi Lusaka Luxembourg Luxor Lviv Lyon
Macau Madagascar Madrid Maine Malawi Malaysia Maldives Mali Malta Managua Manama Manaus Manchester
Mandalay Manila Maputo Maracaibo Marrakesh Marseille Maryland Maseru Mauritania Mauritius Mbabane Mecca
Medina Melbourne Mexico Miami Michigan Milan Minnesota Minsk Missouri Mogadishu Moldova Mombasa Monaco
Mongolia Monrovia Montana Montenegro Monterrey Montevideo Montreal Morocco Moscow Mozambique Mumbai
Munich Muscat Myanmar Nagasaki Nagoya Nairobi Namibia Nanjing Naples Nauru Naypyidaw Nebraska Nepal
Nevada Niamey Nicaragua Nice Nicosia Niger Nigeria Norway Nouakchott Nuuk Odesa Ohio Oklahoma Oman Oran
Oregon Osaka Oslo Ottawa Pakistan Palau Palermo Palestine Panama Paraguay Paramaribo Paris Perth Peru
Pittsburgh Plovdiv Podgorica Poland Porto Portugal Prague Praia Pretoria Pristina Pyongyang Qatar Quito
Rabat Recife Riga Riyadh Romania Rome Rotterdam Russia Rwanda Salzburg Samarkand Samoa Sanaa Santiago
Sapporo Sarajevo Seattle Senegal Seoul Serbia Seville Seychelles Shanghai Shenzhen Shiraz Singapore
Skopje Slovakia Slovenia Sofia Somalia Spain Stockholm Strasbourg Stuttgart Sucre Sudan Surabaya Suriname
Sweden Sydney Syria Taipei Taiwan Tajikistan Tallinn Tampere Tanzania Tartu Tashkent Tbilisi Tehran
Tennessee Texas Thailand Thimphu Timbuktu Tirana Togo Tokyo Tonga Toronto Toulouse Trondheim Tunis
Tunisia Turin Turkey Turku Tuvalu Uganda Ukraine Uruguay Ushuaia Utah Uzbekistan Vaduz Valencia Valletta
Vancouver Vanuatu Varanasi Venezuela Venice Vermont Vienna Vientiane Vietnam Vilnius Virginia Volgograd
Warsaw Washington Wellington Windhoek Winnipeg Wisconsin Wuhan Wyoming Yangon Yemen Yerevan Yogyakarta
Yokohama Zagreb Zambia Zaragoza Zimbabwe
"""
PLACES = tuple(_NAMES.split())
